using OrleansSessions.Configuration;

namespace OrleansSessions.SocketGateway;

/// <summary>Section <c>SocketGateway</c>: limits and clocks of the sockets in one process.</summary>
public sealed class SocketGatewayOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "SocketGateway";

    /// <summary>
    /// Sockets this process holds at once; past it: 429 <c>connection_limit</c>. Default 15,000; fewer where the process may not open enough files for them,
    /// as its log then says. At least 1.
    /// </summary>
    [Within(1, 10_000_000)]
    public int MaxConnections { get; set; } = 15_000;

    /// <summary>
    /// Origins whose pages may connect, each as <c>https://host[:port]</c>, or <c>*</c> for all. Default none: pages of the same host may, and so may
    /// clients that send no <c>Origin</c>. Holds for sockets and HTTP; only pages of an origin that is listed by name may send cookies over HTTP.
    /// </summary>
    public IList<string> AllowedOrigins { get; set; } = [];

    /// <summary>The longest message from a client, in bytes. Default 64 KiB, from 256 bytes to 1 MiB.</summary>
    [Within(256, 1024 * 1024)]
    public int MaxMessageBytes { get; set; } = 64 * 1024;

    /// <summary>How long a message may take from its first fragment to its last. Default 10 s.</summary>
    [Within("00:00:00.1", "01:00:00")]
    public TimeSpan MessageTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Fragments of one message, at most. Default 1,000.</summary>
    [Within(1, 1_000_000)]
    public int MaxFragments { get; set; } = 1_000;

    /// <summary>
    /// A socket that was sent nothing for so long is pinged; one that sent nothing for twice that is closed with 4003.
    /// Default 25 s: below the 30 to 60 s after which proxies drop a silent connection.
    /// </summary>
    [Within("00:00:00.1", "01:00:00")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>How long the peer may take to answer a close frame before the socket is cut. Default 2 s.</summary>
    [Within("00:00:00.01", "00:01:00")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long one frame may wait for a peer that does not read, before the socket is closed as a slow consumer. Default 20 s.</summary>
    [Within("00:00:00.1", "01:00:00")]
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Frames that may wait for one socket. Past it: 4002. Default 2,048. Deltas that wait are joined, and a snapshot counts as one.
    /// While more than an eighth waits, the log is not read on and no question, <c>resume</c> or <c>ping</c> of the client is taken.
    /// </summary>
    [Within(64, 1_000_000)]
    public int MaxQueuedFrames { get; set; } = 2_048;

    /// <summary>
    /// Characters of text that may wait for one socket, ids and 64 for each frame included. Past it: 4002. Default 4 Mi; at least 2 Mi, because
    /// a whole answer waits at once. While more than an eighth waits, the log is not read on and no question, <c>resume</c> or <c>ping</c> is taken.
    /// </summary>
    [Within(2 * 1024 * 1024, 1024 * 1024 * 1024)]
    public int MaxQueuedChars { get; set; } = 4 * 1024 * 1024;

    /// <summary>Deltas that wait are joined into frames of at most so many characters. Default 16 Ki, at most 128 Ki: escaped, that still fits a 1 MiB frame.</summary>
    [Within(1, 128 * 1024)]
    public int MaxRunChars { get; set; } = 16 * 1024;

    /// <summary>Live items held for one socket while it reads the log. Past it, it drops them and reads again. Default 256.</summary>
    [Within(1, 1_000_000)]
    public int MaxHeldItems { get; set; } = 256;

    /// <summary>
    /// About how much text one read of the log returns, in UTF-8 bytes and 64 for each event. Default 64 KiB; at most 32 times
    /// <see cref="MaxQueuedFrames"/>, so that the events of one read are at most half of the frames that may wait.
    /// </summary>
    [Within(1024, 1024 * 1024)]
    public int LogReadBytes { get; set; } = 64 * 1024;

    /// <summary>The largest frame to a basic client, in bytes. Default 1 MiB, which is also the most: common client libraries stop there.</summary>
    [Within(4096, 1024 * 1024)]
    public int MaxBasicFrameBytes { get; set; } = 1024 * 1024;

    /// <summary>Invalid messages in a row, within <see cref="StrikeWindow"/>, after which the socket is closed with 4100. Default 20.</summary>
    [Within(1, 1_000_000)]
    public int MaxBadRequests { get; set; } = 20;

    /// <summary>Questions refused as busy in a row, within <see cref="StrikeWindow"/>, after which the socket is closed with 4008. Default 120.</summary>
    [Within(1, 1_000_000)]
    public int MaxBusyRefusals { get; set; } = 120;

    /// <summary>How far back refusals count. Default 1 min.</summary>
    [Within("00:00:01", "01:00:00")]
    public TimeSpan StrikeWindow { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>What a refused client is told to wait. Default 1 s.</summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The shortest wait before a client reconnects, as <c>hello</c> advises. Default 250 ms.</summary>
    [Within("00:00:00.001", "01:00:00")]
    public TimeSpan ReconnectMin { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest wait before a client reconnects, as <c>hello</c> advises. Default 15 s.</summary>
    [Within("00:00:00.001", "01:00:00")]
    public TimeSpan ReconnectMax { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A silo that sent no heartbeat for so long is missed, and the subscription renewed. Default 5 s: it sends one each second.</summary>
    [Within("00:00:02", "00:05:00")]
    public TimeSpan SiloHeartbeatTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A session that waits for an answer and was quiet for so long is attached anew, then after twice that, and so on. Default 2 s.</summary>
    [Within("00:00:00.1", "00:05:00")]
    public TimeSpan QuietSessionTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>After so long one silo's heartbeat is enough to be ready. Default 10 s.</summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan ReadyTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The largest body of <c>/answer</c> and <c>/response</c>, and the longest line of a streamed answer, in bytes. Default 2 MiB.</summary>
    [Within(1024, 64 * 1024 * 1024)]
    public int MaxAnswerBodyBytes { get; set; } = 2 * 1024 * 1024;

    /// <summary>The longest <c>Prefer: wait</c>, which is cut to it. Default 60 s.</summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public IEnumerable<string> FindMistakes()
    {
        // An event counts 64 bytes in a read of the log and may become a frame of its own; the events of one read must fit half of the frames that may wait.
        const int LogBytesPerFrame = 32;
        if (LogReadBytes > (long)MaxQueuedFrames * LogBytesPerFrame)
        {
            yield return $"{Section}:{nameof(LogReadBytes)} is {LogReadBytes}; it must be at most {LogBytesPerFrame} times {nameof(MaxQueuedFrames)}, "
                + $"which is {MaxQueuedFrames}: otherwise one read can close a client that resumes.";
        }

        if (ReconnectMax < ReconnectMin)
        {
            yield return $"{Section}:{nameof(ReconnectMax)} is {ReconnectMax}; it must be at least {nameof(ReconnectMin)}, which is {ReconnectMin}.";
        }

        foreach (var origin in AllowedOrigins.Where(origin => origin != "*" && !IsOrigin(origin)))
        {
            yield return $"{Section}:{nameof(AllowedOrigins)} is '{origin}'; it must be '*' or have the form https://host[:port].";
        }
    }

    private static bool IsOrigin(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https") && uri.PathAndQuery == "/" && !origin.EndsWith('/');
}
