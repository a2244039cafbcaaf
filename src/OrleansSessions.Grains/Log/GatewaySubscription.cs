using OrleansSessions.Grains.Gateways;

namespace OrleansSessions.Grains.Log;

/// <summary>
/// One subscribed gateway: how far it has been sent the log, and the loop that sends it. A full queue to one socket gateway delays neither the log nor the
/// other socket gateways.
/// </summary>
internal sealed class GatewaySubscription(SocketGatewayOutbox outbox, SessionLog log, SessionItems items)
{
    // The last number that was handed to the outbox.
    private long _sent = log.VisibleHead;
    private bool _isSending;
    private bool _isRemoving;
    private bool _isLeaving;

    public SocketGatewayOutbox Outbox { get; } = outbox;

    /// <summary>How many sockets of the session the socket gateway holds.</summary>
    public int Connections { get; set; } = 1;

    /// <summary>Of the last count that was taken.</summary>
    public long Version { get; set; }

    /// <summary>Sends what has become visible. Returns at once.</summary>
    public void Send()
    {
        if (!_isSending && (_sent < log.VisibleHead || _isRemoving || _isLeaving))
        {
            SendAllAsync().Ignore();
        }
    }

    /// <summary>After the rest of the log, reports that the session was removed.</summary>
    public void SendRemoved()
    {
        _isRemoving = true;
        Send();
    }

    /// <summary>After the rest of the log, reports that this activation leaves.</summary>
    public void SendAsleep()
    {
        _isLeaving = true;
        Send();
    }

    /// <summary>While it waits for room in the queue, new events gather in the log and leave together.</summary>
    private async Task SendAllAsync()
    {
        _isSending = true;
        while (_sent < log.VisibleHead)
        {
            if (!log.Covers(_sent))
            {
                // So far behind that the events are no longer held. The socket gateway sees the hole and reads the log.
                _sent = log.OldestSeq - 1;
                continue;
            }

            var (count, sent) = items.SendEvents(Outbox, log, _sent);
            _sent += count;
            await sent;
        }

        if (_isRemoving)
        {
            await items.SendRemovedAsync(Outbox, log);
        }

        if (_isLeaving)
        {
            _isLeaving = false;
            await items.SendAsleepAsync(Outbox, log);
        }

        _isSending = false;
    }
}
