namespace OrleansSessions.Responders.OpenAI.Bodies;

/// <summary>The body is neither JSON nor a stream of events.</summary>
/// <param name="what">What it is, to complete the sentence "The upstream sent". It contains no words of the upstream.</param>
internal sealed class BodyFormatException(string what) : Exception(what);
