using Microsoft.Extensions.Logging;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Sockets;

internal sealed partial class SocketConnection
{
    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "Connection {Connection} registered for session {Session}, profile {Profile}.")]
        public static partial void Opened(ILogger logger, string connection, string session, WireProfile profile);

        [LoggerMessage(2, LogLevel.Debug, "Connection {Connection} of session {Session} removed: close code {Code}, after {LifetimeMs} ms.")]
        public static partial void Closed(ILogger logger, string connection, string session, int code, long lifetimeMs);

        [LoggerMessage(3, LogLevel.Debug, "The peer of connection {Connection}, session {Session}, left with {Code}.")]
        public static partial void PeerLeft(ILogger logger, string connection, string session, int code);

        [LoggerMessage(4, LogLevel.Information, "Connection {Connection} of session {Session} does not read; closing it.")]
        public static partial void SlowConsumer(ILogger logger, string connection, string session);

        [LoggerMessage(5, LogLevel.Debug, "The end of connection {Connection} could not be told to session {Session}.")]
        public static partial void DetachFailed(ILogger logger, Exception fault, string connection, string session);

        [LoggerMessage(6, LogLevel.Information, "Connection {Connection} could not read the log of session {Session}; it tries again.")]
        public static partial void LogReadFailed(ILogger logger, Exception fault, string connection, string session);

        [LoggerMessage(7, LogLevel.Error, "Connection {Connection} of session {Session} broke.")]
        public static partial void Broken(ILogger logger, Exception fault, string connection, string session);
    }
}
