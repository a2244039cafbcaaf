using OrleansSessions.Grains.Gateways;

namespace OrleansSessions.Grains.Log;

/// <summary>
/// The socket gateways that a session sends its events to, because they hold sockets of it. The session announces itself once to all others. Used on the
/// grain's scheduler only.
/// </summary>
internal sealed class SubscribedGateways(SocketGatewayOutboxes outboxes, SessionItems items) : ISubscribedGateways
{
    private readonly List<GatewaySubscription> _subscriptions = [];

    // The announcements reach up to this outbox, in the order in which this silo learned of the socket gateways.
    private int _announcedTo;
    private SessionLog? _announced;
    private bool _hasLeft;

    // A socket gateway that is gone stays in the list until the next event.
    public int Connections => _subscriptions.Sum(static subscription => subscription.Outbox.IsClosed ? 0 : subscription.Connections);

    public bool HasAny => _subscriptions.Exists(static subscription => !subscription.Outbox.IsClosed);

    public void Subscribe(SessionLog log, string gateway)
    {
        var known = _subscriptions.FindIndex(subscription => subscription.Outbox.Gateway == gateway);
        if (known < 0)
        {
            _subscriptions.Add(new GatewaySubscription(outboxes.Get(gateway), log, items));
        }
        else if (_subscriptions[known].Outbox.IsClosed)
        {
            // Its outbox was closed and it is back, before anything was published that would have shown it here.
            var (connections, version) = (_subscriptions[known].Connections, _subscriptions[known].Version);
            _subscriptions[known] = new GatewaySubscription(outboxes.Get(gateway), log, items) { Connections = connections, Version = version };
        }
    }

    public void SetConnections(string gateway, int connections, long version)
    {
        var subscription = _subscriptions.Find(subscription => subscription.Outbox.Gateway == gateway);
        if (subscription is null || version < subscription.Version)
        {
            return;
        }

        subscription.Version = version;
        subscription.Connections = connections;
        if (connections == 0)
        {
            _subscriptions.Remove(subscription);
        }
    }

    public void Announce(SessionLog log, string? caller)
    {
        if (_announced is null && !outboxes.Complete.IsCompleted)
        {
            AnnounceWhenCompleteAsync().Ignore();
        }

        _announced = log;
        AnnounceToNew(caller);
    }

    /// <summary>Sends what has become visible to all that do not have it yet. Returns at once.</summary>
    public void Publish()
    {
        AnnounceToNew(null);
        for (var i = _subscriptions.Count - 1; i >= 0; i--)
        {
            if (_subscriptions[i].Outbox.IsClosed)
            {
                _subscriptions.RemoveAt(i);
            }
            else
            {
                _subscriptions[i].Send();
            }
        }
    }

    /// <summary>
    /// Reports to every live socket gateway that the session is removed: to the subscribed ones after the rest of the log, and to the others too,
    /// because a session that slept does not know which of them hold its sockets. Then removes all subscriptions.
    /// </summary>
    public void PublishRemoval(SessionLog log)
    {
        foreach (var outbox in outboxes.Live)
        {
            if (!IsSubscribed(outbox))
            {
                items.SendRemovedAsync(outbox, log).Ignore();
            }
        }

        _subscriptions.ForEach(static subscription => subscription.SendRemoved());
        _subscriptions.Clear();
    }

    /// <summary>After the rest of the log, reports that this activation leaves: a socket gateway that waits for news attaches to the next one, all others let it sleep.</summary>
    public void PublishLast()
    {
        _hasLeft = true;
        _subscriptions.ForEach(static subscription => subscription.SendAsleep());
    }

    /// <summary>A silo that has just started does not know all socket gateways yet, and no further call or event may come at which this session is announced.</summary>
    private async Task AnnounceWhenCompleteAsync()
    {
        await outboxes.Complete;
        if (!_hasLeft)
        {
            AnnounceToNew(null);
        }
    }

    private void AnnounceToNew(string? caller)
    {
        var latest = outboxes.LatestOrdinal;
        if (_announced is not { } log || _announcedTo == latest)
        {
            return;
        }

        foreach (var outbox in outboxes.Live)
        {
            if (outbox.Ordinal > _announcedTo && outbox.Gateway != caller && !IsSubscribed(outbox))
            {
                items.SendAwakeAsync(outbox, log).Ignore();
            }
        }

        _announcedTo = latest;
    }

    private bool IsSubscribed(SocketGatewayOutbox outbox) => _subscriptions.Exists(subscription => subscription.Outbox == outbox);
}
