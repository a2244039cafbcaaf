using Microsoft.Extensions.Logging;
using Orleans.Streams;
using OrleansSessions.Gateways;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Feed;

/// <summary>
/// Where all news of this process arrives, from one subscription, and is split by session. It never waits and never throws,
/// for all subscriptions of a process share the thread that calls it.
/// </summary>
internal sealed partial class GatewayFeed(
    FollowerRegistry registry, SiloHeartbeats silos, SessionReattacher reattacher, TimeProvider clock, ILogger<GatewayFeed> logger)
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
        // Items were dropped or could not be delivered: everything held is looked at again.
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

        // An unknown kind is one of a later version. It is skipped, but its number counts.
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
            case GatewayItemKind.Heartbeat when silos.OnMembership(item) is { } left:
                LogMessages.SilosLeft(logger, left.Count, item.MembershipVersion);
                reattacher.EnqueueThoseOf(left);
                break;
        }
    }

    /// <summary>An activation leaves, and with it its list of followers. Who waits for an answer must attach to the next one.</summary>
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
        else if (session.Silo is null || session.Silo.Equals(last.Silo))
        {
            // From another silo than the last news it would be late: the session is awake again.
            session.IsAsleep = true;
        }
    }

    private FollowedSession? Find(GatewayItem item)
    {
        if (!registry.TryFind(item.SessionKey, out var session))
        {
            return null;
        }

        session.Silo = item.Silo;
        session.LastHeardAt = clock.GetTimestamp();
        session.QuietRounds = 0;
        session.IsAsleep = false;
        return session;
    }

    /// <summary>Who has something to send. The last one is served on this thread, which saves the usual lone reader a hop; the others elsewhere.</summary>
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
        [LoggerMessage(1, LogLevel.Error, "An item of kind {Kind} from {Silo} could not be handed on.")]
        public static partial void ItemFailed(ILogger logger, Exception fault, GatewayItemKind kind, SiloAddress silo);

        [LoggerMessage(2, LogLevel.Warning, "The stream reported a fault; all sessions are attached again.")]
        public static partial void StreamFailed(ILogger logger, Exception fault);

        [LoggerMessage(3, LogLevel.Information, "Items from {Silo} before number {Number} are missing; all sessions are attached again.")]
        public static partial void Hole(ILogger logger, SiloAddress silo, long number);

        [LoggerMessage(4, LogLevel.Information, "{Count} silos left with membership {Version}; their sessions are attached again.")]
        public static partial void SilosLeft(ILogger logger, int count, long version);
    }
}
