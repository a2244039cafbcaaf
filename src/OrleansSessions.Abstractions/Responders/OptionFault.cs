namespace OrleansSessions.Responders;

/// <summary>Why a question's <c>options</c> are refused.</summary>
/// <param name="Option">The name of the option.</param>
/// <param name="Message">What is wrong, the value found and what is allowed, for people. It is sent to the client.</param>
public sealed record OptionFault(string Option, string Message);
