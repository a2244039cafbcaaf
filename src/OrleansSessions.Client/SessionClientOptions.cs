namespace OrleansSessions.Client;

/// <summary>How a client reaches its server. It is read when a session connects; later changes have no effect on that session.</summary>
public sealed class SessionClientOptions
{
    /// <summary>What is replaced by the session id in <see cref="SocketPath"/> and <see cref="ApiPath"/>.</summary>
    public const string SessionPlaceholder = "{session}";

    /// <summary>
    /// Returns the caller's token, which is sent as <c>Authorization: Bearer</c>. Default null: no token is sent. It is called for each connection and each
    /// request, and again before a token expires. Null or an empty text means that there is no token. An exception counts as a token that
    /// cannot be had at the moment: a connection is tried again later, and a request throws it.
    /// </summary>
    public Func<CancellationToken, ValueTask<string?>>? Token { get; set; }

    /// <summary>
    /// Sends the upgrades of the sockets and the HTTP requests: an <see cref="HttpClient"/>, or an invoker around any handler. Default null: one that all
    /// clients of the process share. The session does not dispose of it.
    /// </summary>
    public HttpMessageInvoker? Invoker { get; set; }

    /// <summary>Headers that are sent with each upgrade and each request. Default none.</summary>
    public IDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The path of the socket below the server's address. Default <c>/ws/{session}</c>.</summary>
    public string SocketPath { get; set; } = "/ws/" + SessionPlaceholder;

    /// <summary>The path of the session's HTTP API below the server's address. Default <c>/v1/sessions/{session}</c>.</summary>
    public string ApiPath { get; set; } = "/v1/sessions/" + SessionPlaceholder;

    /// <summary>
    /// Called for each new state, and again for each attempt to connect that failed, with its cause; in order and one at a time, on a thread of the pool.
    /// Default null. The session waits for it, so it must return quickly, and must not wait for the session. An exception from it stops the session with
    /// <see cref="SessionStopReason.Protocol"/>.
    /// </summary>
    public Action<SessionStateChange>? OnStateChanged { get; set; }

    /// <summary>How long an upgrade or an HTTP request can take. Default 10 seconds.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>All timers of the client. Default <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The options of one session, which later changes of these do not reach.</summary>
    internal SessionClientOptions Copy()
    {
        var copy = (SessionClientOptions)MemberwiseClone();
        copy.Headers = new Dictionary<string, string>(Headers, StringComparer.OrdinalIgnoreCase);
        return copy;
    }
}
