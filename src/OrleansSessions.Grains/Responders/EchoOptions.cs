using OrleansSessions.Configuration;

namespace OrleansSessions.Grains.Responders;

/// <summary>Section <c>Responder:Echo</c>: how fast the demo responder speaks.</summary>
public sealed class EchoOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Responder:Echo";

    /// <summary>The wait before the first word, from 0 to 1 h. Default 300 ms, like a fast model.</summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan InitialDelay { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// The wait between two words, from 0 to 1 h. Default 200 ms, 300 words per minute, which is about reading speed: there is time to reload, stop or ask
    /// again in the middle of an answer. With 0, words are sent as fast as they are read.
    /// </summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(200);
}
