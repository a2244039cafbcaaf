using Microsoft.Extensions.Logging;
using Orleans.Streams;
using OrleansSessions.Gateways;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Feed;

/// <summary>
/// Receives all items for this process from one subscription and passes them to the followers of their sessions. It never waits and never throws, because
/// all subscriptions of a process share the thread that calls it.
/// </summary>
internal sealed partial class GatewayFeed(
    FollowerRegistry registry, SiloHeartbeats silos, SessionReattacher reattacher, StoreReports store, TimeProvider clock, ILogger<GatewayFeed> logger)
    : IAsyncBatchObserver<GatewayItem>
{
    public Task OnNextAsync(IList<SequentialItem<GatewayItem>> items)
    {
        var touched = new Touched();
        foreach (var item in items)
        {
            try
            {
                OnItem(item.Item, ref touched);
            }
            catch (Exception fault)
            {
                LogMessages.ItemFailed(logger, fault, item.Item.Kind, item.Item.Silo);
            }
        }

        touched.Flush();
        return Task.CompletedTask;
    }

    public Task OnErrorAsync(Exception ex)
    {
        // Items were dropped or could not be delivered, so all sessions with followers are attached again.
        LogMessages.StreamFailed(logger, ex);
        reattacher.EnqueueAll();
        return Task.CompletedTask;
    }

    private void OnItem(GatewayItem item, ref Touched touched)
    {
        if (silos.OnItem(item))
        {
            LogMessages.Hole(logger, item.Silo, item.Number);
            reattacher.EnqueueAll();
        }

        // An unknown kind belongs to a later version. The item is skipped, but its number counts.
        switch (item.Kind)
        {
            case GatewayItemKind.Asleep:
                OnAsleep(item);
                break;
            case GatewayItemKind.Events:
                if (Find(item) is { } session)
                {
                    foreach (var connection in session.All)
                    {
                        connection.OnEvents(item.Epoch, item.Events);
                        touched.Add(connection);
                    }
                }
                else
                {
                    reattacher.EnqueueDetach(item.SessionKey);
                }

                break;
            case GatewayItemKind.Awake when Find(item) is { } woken:
                reattacher.Enqueue(woken, isUrgent: true);
                break;
            case GatewayItemKind.Removed when Find(item) is { } gone:
                foreach (var connection in gone.All)
                {
                    connection.OnRemoved(item.Epoch);
                    touched.Add(connection);
                }

                break;
            case GatewayItemKind.Heartbeat:
                OnHeartbeat(item);
                break;
        }
    }

    private void OnHeartbeat(GatewayItem item)
    {
        store.OnHeartbeat(item);
        if (silos.OnMembership(item) is { } left)
        {
            LogMessages.SilosLeft(logger, left.Count, item.MembershipVersion);
            reattacher.EnqueueThoseOf(left);
        }
    }

    /// <summary>
    /// The activation of a session ends, and with it its list of subscribed gateways.
    /// If a question is open, the session must be attached to the next activation.
    /// </summary>
    private void OnAsleep(GatewayItem last)
    {
        if (!registry.TryFind(last.SessionKey, out var session))
        {
            return;
        }

        if (session.IsWaiting)
        {
            reattacher.Enqueue(session, isUrgent: true);
        }
        else if (session.Silo is null || (session.Silo.Equals(last.Silo) && last.Number > session.LastNumber))
        {
            // From a silo other than that of the last item, or overtaken by another one, this item is late: the session is active again.
            session.IsAsleep = true;
        }
    }

    private FollowedSession? Find(GatewayItem item)
    {
        if (!registry.TryFind(item.SessionKey, out var session))
        {
            return null;
        }

        session.LastNumber = item.Silo.Equals(session.Silo) ? Math.Max(session.LastNumber, item.Number) : item.Number;
        session.Silo = item.Silo;
        session.LastHeardAt = clock.GetTimestamp();
        session.QuietRounds = 0;
        session.IsAsleep = false;
        return session;
    }

    /// <summary>
    /// Flushes the followers that received items. The last one is flushed on this thread, which saves
    /// a thread switch in the usual case of one follower. The others are flushed on other threads.
    /// </summary>
    private struct Touched
    {
        private IFollower? _last;

        public void Add(IFollower connection)
        {
            if (_last != connection)
            {
                _last?.FlushElsewhere();
                _last = connection;
            }
        }

        public readonly void Flush() => _last?.Flush();
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "An item of kind {Kind} from {Silo} could not be handled.")]
        public static partial void ItemFailed(ILogger logger, Exception fault, GatewayItemKind kind, SiloAddress silo);

        [LoggerMessage(2, LogLevel.Warning, "The stream reported a fault. All sessions will be attached again.")]
        public static partial void StreamFailed(ILogger logger, Exception fault);

        [LoggerMessage(3, LogLevel.Information, "Items from {Silo} before number {Number} are missing. All sessions will be attached again.")]
        public static partial void Hole(ILogger logger, SiloAddress silo, long number);

        [LoggerMessage(4, LogLevel.Information, "{Count} silos have left (membership version {Version}). Their sessions will be attached again.")]
        public static partial void SilosLeft(ILogger logger, int count, long version);
    }
}
