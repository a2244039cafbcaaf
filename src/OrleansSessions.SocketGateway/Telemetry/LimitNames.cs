namespace OrleansSessions.SocketGateway.Telemetry;

/// <summary>The limits as the metrics name them.</summary>
internal static class LimitNames
{
    /// <summary>Sockets and event streams of this process.</summary>
    public const string Connections = "connections";

    /// <summary>Sockets and event streams of a scope.</summary>
    public const string Sockets = "sockets";

    public const string OpenQuestions = "open_questions";

    public const string Asks = "asks";

    public const string Sessions = "sessions";

    /// <summary>Messages of one socket.</summary>
    public const string Messages = "messages";

    /// <summary>HTTP requests of a scope in this process.</summary>
    public const string Requests = "requests";

    public const string MessageBytes = "message_bytes";

    public const string QuestionBytes = "question_bytes";

    public const string Queue = "queue";
}
