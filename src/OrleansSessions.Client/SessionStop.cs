namespace OrleansSessions.Client;

/// <summary>Why a session client stopped.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Message">The reason in words, for people.</param>
/// <param name="Code">The error code of the protocol, for example <c>unauthorized</c>; null if there was none.</param>
/// <param name="CloseCode">The close code of the connection; null if there was none.</param>
/// <param name="Fault">The exception that stopped the client; null if there was none.</param>
public sealed record SessionStop(SessionStopReason Reason, string Message, string? Code = null, int? CloseCode = null, Exception? Fault = null);
