using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Gateways;
using OrleansSessions.Grains.Gateways;

namespace OrleansSessions.Grains.Log;

/// <summary>Sends one session's items to socket gateways. An item that the stream refuses leaves a hole in the numbers. The socket gateway sees the hole and reads the log.</summary>
internal sealed partial class SessionItems(string sessionKey, ILogger logger)
{
    private const int MaxItemBytes = 64 * 1024;

    /// <summary>Sends the visible events after a position that the log covers, at least one. Returns how many those are; wait for the task before the next call.</summary>
    public (int Count, Task Sent) SendEvents(SocketGatewayOutbox outbox, SessionLog log, long afterSeq)
    {
        var events = log.Read(afterSeq, MaxItemBytes);
        return (events.Length, SendAsync(outbox, (sessionKey, log.Epoch, events), static (news, silo, number) =>
            GatewayItem.NewEvents(silo, number, news.sessionKey, news.Epoch, news.events)));
    }

    public Task SendAwakeAsync(SocketGatewayOutbox outbox, SessionLog log) =>
        SendAsync(outbox, (sessionKey, log.Epoch, log.VisibleHead), static (awake, silo, number) =>
            GatewayItem.Awake(silo, number, awake.sessionKey, awake.Epoch, awake.VisibleHead));

    public Task SendRemovedAsync(SocketGatewayOutbox outbox, SessionLog log) =>
        SendAsync(outbox, (sessionKey, log.Epoch), static (removed, silo, number) => GatewayItem.Removed(silo, number, removed.sessionKey, removed.Epoch));

    public Task SendAsleepAsync(SocketGatewayOutbox outbox, SessionLog log) =>
        SendAsync(outbox, (sessionKey, log.Epoch), static (asleep, silo, number) => GatewayItem.Asleep(silo, number, asleep.sessionKey, asleep.Epoch));

    private async Task SendAsync<TState>(SocketGatewayOutbox outbox, TState state, Func<TState, SiloAddress, long, GatewayItem> create)
    {
        try
        {
            await outbox.SendAsync(state, create);
        }
        catch (Exception fault)
        {
            LogMessages.ItemLost(logger, outbox.Gateway, sessionKey, LoggedException.Of(fault));
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "An item for socket gateway {Gateway} about session {SessionKey} was not taken")]
        public static partial void ItemLost(ILogger logger, string gateway, string sessionKey, LoggedException fault);
    }
}
