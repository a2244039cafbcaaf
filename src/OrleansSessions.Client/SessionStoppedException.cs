namespace OrleansSessions.Client;

/// <summary>
/// The session client stopped before the end. A question that the server accepted is still answered: follow it from another client, or read the history.
/// </summary>
public sealed class SessionStoppedException : SessionException
{
    /// <summary>The value of <see cref="SessionException.Code"/> if the server sent no error code.</summary>
    public const string StoppedCode = "session_stopped";

    /// <summary>Creates the exception.</summary>
    public SessionStoppedException(SessionStop stop)
        : base((stop ?? throw new ArgumentNullException(nameof(stop))).Code ?? StoppedCode, stop.Message, stop.Fault)
    {
        Stop = stop;
    }

    /// <summary>All that is known about the reason.</summary>
    public SessionStop Stop { get; }

    /// <summary>Why the client stopped.</summary>
    public SessionStopReason Reason => Stop.Reason;

    /// <summary>The close code of the connection, or null if there was none.</summary>
    public int? CloseCode => Stop.CloseCode;
}
