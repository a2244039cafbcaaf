using System.Text.Json;

namespace OrleansSessions.Responders;

/// <summary>Why a question's <c>options</c> are refused.</summary>
/// <param name="Option">The name of the option.</param>
/// <param name="Message">What is wrong, the value found and what is allowed, for people. It is sent to the client.</param>
public sealed record OptionFault(string Option, string Message)
{
    /// <summary>Refuses whatever option there is, for a responder that takes none. Null if there is none.</summary>
    /// <param name="options">A JSON object.</param>
    public static OptionFault? OfAny(JsonElement options, string message) =>
        options.EnumerateObject().Select(option => new OptionFault(option.Name, message)).FirstOrDefault();
}
