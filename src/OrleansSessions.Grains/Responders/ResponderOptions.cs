namespace OrleansSessions.Grains.Responders;

/// <summary>Section <c>Responder</c>: who answers.</summary>
public sealed class ResponderOptions
{
    /// <summary>Which responder answers: <c>echo</c> (default), <c>openai</c>, <c>external</c>, or one that the host registered.</summary>
    public string Name { get; set; } = EchoName;

    public const string EchoName = "echo";
    public const string OpenAIName = "openai";
    public const string ExternalName = "external";
}
