using OrleansSessions.Configuration;

namespace OrleansSessions.Responders;

/// <summary>Section <c>Responder</c>: the responder that answers.</summary>
public sealed class ResponderOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Responder";

    /// <summary>The responder that answers: <c>echo</c> (default), <c>openai</c>, <c>external</c>, or one that the host registered.</summary>
    public string Name { get; set; } = EchoName;

    /// <summary>The demo responder, which repeats the question.</summary>
    public const string EchoName = "echo";
}
