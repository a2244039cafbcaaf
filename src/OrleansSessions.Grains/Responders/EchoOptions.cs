namespace OrleansSessions.Grains.Responders;

/// <summary>Section <c>Responder:Echo</c>: how fast the demo responder speaks.</summary>
public sealed class EchoOptions
{
    /// <summary>Wait before the first word, from 0 to 1 h. Default 0.</summary>
    public TimeSpan InitialDelay { get; set; } = TimeSpan.Zero;

    /// <summary>Wait between two words, from 0 to 1 h. Default 0: as fast as they are taken.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.Zero;
}
