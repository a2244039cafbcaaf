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
    /// The maximum number of messages that one socket sends in a minute, of whatever kind; a tenth of them can come at once. A message counts once for each
    /// 4 KiB that it begins. One above the limit is refused with <c>rate_limited</c>, and the next one is read only when it may be sent. A socket that goes
    /// on is closed with 4008. Default 600: ten per second. 0 means no limit.
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
    /// The number of bytes per second that are read from a socket without becoming a message: WebSocket pings and pongs, which the runtime handles unseen.
    /// 16 times as many, and as many as one message can have, can come at once. Above that, the server reads slowly, and closes the socket with 1008 if it
    /// goes on for longer than <see cref="MessageTimeout"/>. Default 4 KiB, which is about 680 pings per second: clients send one in some seconds.
    /// </summary>
    [Within(256, 1024 * 1024 * 1024)]
    public int MaxControlBytesPerSecond { get; set; } = 4 * 1024;

    /// <summary>
    /// After this time without sending or without receiving anything, the server pings the socket. A socket that received nothing from the client for twice
    /// this time, and for this time after a ping, is closed with 4003. Default 25 s: below the 30 to 60 s after which proxies drop a silent connection.
    /// </summary>
    [Within("00:00:00.1", "01:00:00")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>
    /// The age at which a connection is asked to open another one, so that connections spread again over the processes of a cluster that has grown. Each gets
    /// between 90 and 100 % of it, so that they do not all leave at once. v1 sockets get <c>reconnect</c> with the reason <c>max_age</c>, and are closed with
    /// 4004 10 s later; basic ones are closed with 1012 as soon as they have nothing open; event streams end with <c>reconnect</c>, except one whose request asked a
    /// question, which stays until that has ended. No answer is cut. Default none, from 1 s to 30 days.
    /// </summary>
    [Within("00:00:01", "30.00:00:00")]
    public TimeSpan? MaxConnectionAge { get; set; }

    /// <summary>How long the peer can take to answer a close frame before the socket is aborted. Default 2 s.</summary>
    [Within("00:00:00.01", "00:01:00")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long one frame can wait for a peer that does not read, before the socket is closed with 4002 as a slow consumer. Default 20 s.</summary>
    [Within("00:00:00.1", "01:00:00")]
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The memory of the frames that wait for one socket, in bytes: 2 for each character of text, 256 for each frame, 32 for each delta that is joined to a
    /// frame. When it is reached, events stay in the log, and are read from there once at most half of it waits; until then no question, <c>resume</c> or
    /// <c>ping</c> from the client is accepted. Other replies may need as much again; then the socket is closed with 4002. One whole answer, in a
    /// <c>snapshot</c> or for a basic client, can go above it. Default 256 KiB, from 64 KiB to 1 GiB: with the frame that is being sent, a socket that never
    /// reads needs less than 1 MiB.
    /// </summary>
    [Within(64 * 1024, 1024 * 1024 * 1024)]
    public int MaxQueuedBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// While more than half of <see cref="MaxQueuedBytes"/> waits for a client, it must read at least that half within this time. Otherwise the socket is
    /// closed with 4002. Default 1 min, with which about 1 KB of English text per second is enough: a slow connection that makes progress is kept.
    /// </summary>
    [Within("00:00:01", "01:00:00")]
    public TimeSpan MaxTimeBehind { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Waiting deltas are joined into frames of at most this many characters. Default
    /// 16 Ki, at most 128 Ki: with escapes, this still fits into a 1 MiB frame.
    /// </summary>
    [Within(1, 128 * 1024)]
    public int MaxRunChars { get; set; } = 16 * 1024;

    /// <summary>
    /// The maximum number of live items that are held for one socket while it reads the log, with at most
    /// <see cref="MaxQueuedBytes"/> of text. Above it, the items are dropped and the log is read again. Default 256.
    /// </summary>
    [Within(1, 1_000_000)]
    public int MaxHeldItems { get; set; } = 256;

    /// <summary>
    /// The approximate amount of text that one read of the log returns, in UTF-8 bytes plus 64 for each event. Default
    /// 64 KiB; at most a quarter of <see cref="MaxQueuedBytes"/>, so that what is read usually has room.
    /// </summary>
    [Within(1024, 1024 * 1024)]
    public int LogReadBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// The maximum size of a frame to a basic client, in bytes. Default 1 MiB, which
    /// is also the maximum value, because common client libraries accept no more.
    /// </summary>
    [Within(4096, 1024 * 1024)]
    public int MaxBasicFrameBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// After this many invalid messages in a row within <see cref="StrikeWindow"/>, the socket is closed with 4100; after as many above
    /// <see cref="MaxMessagesPerMinute"/>, with 4008. Default 20.
    /// </summary>
    [Within(1, 1_000_000)]
    public int MaxBadRequests { get; set; } = 20;

    /// <summary>
    /// After this many questions in a row are refused as busy, or because of a limit of the caller, within <see cref="StrikeWindow"/>, the socket is closed
    /// with 4008. Default 120.
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
        // The log is read when half of the queue is free, and text needs twice as many bytes there as in UTF-8. What finds no room is read again.
        const int QueuePerRead = 4;
        if (LogReadBytes > MaxQueuedBytes / QueuePerRead)
        {
            yield return $"{Section}:{nameof(LogReadBytes)} is {LogReadBytes}; it must be at most a quarter of {nameof(MaxQueuedBytes)}, "
                + $"which is {MaxQueuedBytes}: otherwise events are read from the log again and again.";
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
