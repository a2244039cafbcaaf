using OrleansSessions.Configuration;

namespace OrleansSessions.SocketGateway;

/// <summary>Section <c>SocketGateway</c>: limits and timers of the sockets.</summary>
public sealed class SocketGatewayOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "SocketGateway";

    /// <summary>
    /// The maximum number of sockets in this process. Above it, sockets are refused with 429 <c>connection_limit</c>. Default 15,000; fewer if the process
    /// cannot open enough files for them, as its log then says. At least 1.
    /// </summary>
    [Within(1, 10_000_000)]
    public int MaxConnections { get; set; } = 15_000;

    /// <summary>
    /// Origins whose pages may connect, each as <c>https://host[:port]</c>, or <c>*</c> for all. Default none: pages of the same host may connect, and so may
    /// clients that send no <c>Origin</c>. Applies to sockets and HTTP. Only pages of an origin that is listed by name can send cookies over HTTP.
    /// </summary>
    public IList<string> AllowedOrigins { get; set; } = [];

    /// <summary>The maximum size of a message from a client, in bytes. Default 64 KiB, from 256 bytes to 1 MiB.</summary>
    [Within(256, 1024 * 1024)]
    public int MaxMessageBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// The maximum number of messages that one socket sends in a minute, of whatever kind; so many can also come at once. A message above it is refused with
    /// <c>rate_limited</c>, and a socket that goes on is closed with 4008. Default 600: ten per second. 0 means no limit.
    /// </summary>
    [Within(0, 100_000_000)]
    public int MaxMessagesPerMinute { get; set; } = 600;

    /// <summary>
    /// The maximum number of HTTP requests that a caller with an identity sends to this process in a minute; so many can also come at once. Above it, they are
    /// refused with 429 <c>rate_limited</c>. Callers with <c>sessions:answer</c> or <c>sessions:admin</c> are not limited. Default 1,200: twenty per second,
    /// twice what a socket can send. 0 means no limit.
    /// </summary>
    [Within(0, 100_000_000)]
    public int MaxRequestsPerMinute { get; set; } = 1_200;

    /// <summary>The maximum time of a message from its first fragment to its last. Default 10 s.</summary>
    [Within("00:00:00.1", "01:00:00")]
    public TimeSpan MessageTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The maximum number of fragments of one message. Default 1,000.</summary>
    [Within(1, 1_000_000)]
    public int MaxFragments { get; set; } = 1_000;

    /// <summary>
    /// After this time without sending anything, the server pings the socket. A socket that received nothing from the client for twice this time is closed
    /// with 4003. Default 25 s: below the 30 to 60 s after which proxies drop a silent connection.
    /// </summary>
    [Within("00:00:00.1", "01:00:00")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>How long the peer can take to answer a close frame before the socket is aborted. Default 2 s.</summary>
    [Within("00:00:00.01", "00:01:00")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long one frame can wait for a peer that does not read, before the socket is closed as a slow consumer. Default 20 s.</summary>
    [Within("00:00:00.1", "01:00:00")]
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The maximum number of frames that wait for one socket. Above it, the socket is closed with 4002. Default
    /// 2,048. Waiting deltas are joined, and a snapshot counts as one frame. While more than an eighth of the limit
    /// waits, the log is not read further and no question, <c>resume</c> or <c>ping</c> from the client is accepted.
    /// </summary>
    [Within(64, 1_000_000)]
    public int MaxQueuedFrames { get; set; } = 2_048;

    /// <summary>
    /// The maximum number of characters of text that wait for one socket, including ids and 64 for each frame. Above it, the socket is closed with 4002.
    /// Default 4 Mi; at least 2 Mi, because a whole answer waits at once. While more than an eighth of the limit waits, the log is not read further and no
    /// question, <c>resume</c> or <c>ping</c> is accepted.
    /// </summary>
    [Within(2 * 1024 * 1024, 1024 * 1024 * 1024)]
    public int MaxQueuedChars { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// Waiting deltas are joined into frames of at most this many characters. Default
    /// 16 Ki, at most 128 Ki: with escapes, this still fits into a 1 MiB frame.
    /// </summary>
    [Within(1, 128 * 1024)]
    public int MaxRunChars { get; set; } = 16 * 1024;

    /// <summary>
    /// The maximum number of live items that are held for one socket while it reads the
    /// log. Above it, the items are dropped and the log is read again. Default 256.
    /// </summary>
    [Within(1, 1_000_000)]
    public int MaxHeldItems { get; set; } = 256;

    /// <summary>
    /// The approximate amount of text that one read of the log returns, in UTF-8 bytes plus 64 for each event. Default 64 KiB; at
    /// most 32 times <see cref="MaxQueuedFrames"/>, so that the events of one read are at most half of the frames that can wait.
    /// </summary>
    [Within(1024, 1024 * 1024)]
    public int LogReadBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// The maximum size of a frame to a basic client, in bytes. Default 1 MiB, which
    /// is also the maximum value, because common client libraries accept no more.
    /// </summary>
    [Within(4096, 1024 * 1024)]
    public int MaxBasicFrameBytes { get; set; } = 1024 * 1024;

    /// <summary>After this many invalid messages in a row within <see cref="StrikeWindow"/>, the socket is closed with 4100. Default 20.</summary>
    [Within(1, 1_000_000)]
    public int MaxBadRequests { get; set; } = 20;

    /// <summary>
    /// After this many questions in a row are refused as busy, or because of a limit of the caller, within <see cref="StrikeWindow"/>, the socket is closed
    /// with 4008. The same number of messages refused by <see cref="MaxMessagesPerMinute"/> also closes it. Default 120.
    /// </summary>
    [Within(1, 1_000_000)]
    public int MaxBusyRefusals { get; set; } = 120;

    /// <summary>The period in which refusals are counted. Default 1 min.</summary>
    [Within("00:00:01", "01:00:00")]
    public TimeSpan StrikeWindow { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a refused client is advised to wait. Default 1 s.</summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The shortest wait before a client reconnects, as <c>hello</c> advises. Default 250 ms.</summary>
    [Within("00:00:00.001", "01:00:00")]
    public TimeSpan ReconnectMin { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest wait before a client reconnects, as <c>hello</c> advises. Default 15 s.</summary>
    [Within("00:00:00.001", "01:00:00")]
    public TimeSpan ReconnectMax { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// After this time without a heartbeat, a silo counts as lost, and the subscription is renewed. Default 5 s: a silo sends one heartbeat each second.
    /// </summary>
    [Within("00:00:02", "00:05:00")]
    public TimeSpan SiloHeartbeatTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A session that waits for an answer and was quiet for this time is attached again, then after twice this time, and so on. Default 2 s.
    /// </summary>
    [Within("00:00:00.1", "00:05:00")]
    public TimeSpan QuietSessionTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>After this time, the heartbeat of one silo is enough for the socket gateway to be ready. Default 10 s.</summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan ReadyTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The maximum size of the body of <c>/answer</c> and <c>/response</c>, and of a line of a streamed answer, in bytes. Default 2 MiB.</summary>
    [Within(1024, 64 * 1024 * 1024)]
    public int MaxAnswerBodyBytes { get; set; } = 2 * 1024 * 1024;

    /// <summary>The longest <c>Prefer: wait</c>; a longer value is reduced to it. Default 60 s.</summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public IEnumerable<string> FindMistakes()
    {
        // An event counts 64 bytes in a read of the log and can become a frame of its
        // own. The events of one read must be at most half of the frames that can wait.
        const int LogBytesPerFrame = 32;
        if (LogReadBytes > (long)MaxQueuedFrames * LogBytesPerFrame)
        {
            yield return $"{Section}:{nameof(LogReadBytes)} is {LogReadBytes}; it must be at most {LogBytesPerFrame} times {nameof(MaxQueuedFrames)}, "
                + $"which is {MaxQueuedFrames}: otherwise one read can close the socket of a client that resumes.";
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
