using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Gateways;
using OrleansSessions.Grains.Gateways;

namespace OrleansSessions.Grains.Log;

/// <summary>
/// Sends one session's new events to the socket gateways that hold its sockets: a fast path, never the truth. Each has a cursor and a loop
/// of its own, so a full queue to one delays neither the log nor the others. Used on the grain's scheduler only.
/// </summary>
internal sealed partial class SessionPublisher(string sessionKey, SocketGatewayOutboxes outboxes, ILogger logger)
{
    private const int MaxItemBytes = 64 * 1024;

    private readonly List<Cursor> _cursors = [];

    // Where announcements are up to, in the order in which this silo learned of the socket gateways.
    private int _announcedTo;
    private SessionLog? _announced;
    private bool _hasLeft;

    /// <summary>Sockets attached, as far as the socket gateways have told.</summary>
    public int Connections => _cursors.Sum(cursor => cursor.Connections);

    /// <summary>True while any socket gateway follows the session.</summary>
    public bool HasFollowers => _cursors.Count > 0;

    /// <summary>Registers a socket gateway for what comes after the visible head; one that is registered keeps its place.</summary>
    public void Attach(SessionLog log, string gateway)
    {
        var known = _cursors.FindIndex(cursor => cursor.Outbox.Gateway == gateway);
        if (known < 0)
        {
            _cursors.Add(new Cursor(outboxes.Get(gateway), log));
        }
        else if (_cursors[known].Outbox.IsClosed)
        {
            // It was given up and is back, before anything was published that would have shown it here.
            var (connections, version) = (_cursors[known].Connections, _cursors[known].Version);
            _cursors[known] = new Cursor(outboxes.Get(gateway), log) { Connections = connections, Version = version };
        }
    }

    /// <summary>Takes a socket gateway's count of connections, unless a newer one has come before it. None left: it is forgotten.</summary>
    public void Count(string gateway, int connections, long version)
    {
        var cursor = _cursors.Find(cursor => cursor.Outbox.Gateway == gateway);
        if (cursor is null || version < cursor.Version)
        {
            return;
        }

        cursor.Version = version;
        cursor.Connections = connections;
        if (connections == 0)
        {
            _cursors.Remove(cursor);
        }
    }

    /// <summary>
    /// Tells the live socket gateways that the session is awake and knows only its caller: each of them once in this activation's life, those of which
    /// the silo learns later when it does.
    /// </summary>
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
        if (_announced is not null)
        {
            AnnounceToNew(null);
        }

        for (var i = _cursors.Count - 1; i >= 0; i--)
        {
            if (_cursors[i].Outbox.IsClosed)
            {
                _cursors.RemoveAt(i);
            }
            else
            {
                Start(_cursors[i]);
            }
        }
    }

    /// <summary>
    /// Tells every live socket gateway that the session is removed: those that follow it after the rest of the log, and the others too,
    /// because a session that slept does not know who holds its sockets. Then forgets them all.
    /// </summary>
    public void PublishRemoval(SessionLog log)
    {
        foreach (var outbox in outboxes.Live)
        {
            if (!_cursors.Exists(cursor => cursor.Outbox == outbox))
            {
                SendRemovalAsync(outbox, log.Epoch).Ignore();
            }
        }

        foreach (var cursor in _cursors)
        {
            cursor.IsRemoving = true;
            Start(cursor);
        }

        _cursors.Clear();
    }

    /// <summary>After the rest of the log, reports that this activation leaves: who waits for news attaches to the next one, all others let it sleep.</summary>
    public void PublishLast()
    {
        _hasLeft = true;
        foreach (var cursor in _cursors)
        {
            cursor.IsLeaving = true;
            Start(cursor);
        }
    }

    /// <summary>A silo that has just started does not know all socket gateways yet, and there may be no further call or event to announce this session at.</summary>
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
        if (_announcedTo == latest)
        {
            return;
        }

        foreach (var outbox in outboxes.Live)
        {
            if (outbox.Ordinal > _announcedTo && outbox.Gateway != caller && !_cursors.Exists(cursor => cursor.Outbox == outbox))
            {
                SendAsync(outbox, (sessionKey, _announced!.Epoch, _announced.VisibleHead), static (awake, silo, number) =>
                    GatewayItem.Awake(silo, number, awake.sessionKey, awake.Epoch, awake.VisibleHead)).Ignore();
            }
        }

        _announcedTo = latest;
    }

    private void Start(Cursor cursor)
    {
        if (!cursor.IsSending && cursor.HasMore)
        {
            SendAllAsync(cursor).Ignore();
        }
    }

    /// <summary>One loop for one socket gateway. While it waits for room, new events gather in the log and leave together.</summary>
    private async Task SendAllAsync(Cursor cursor)
    {
        cursor.IsSending = true;
        while (cursor.Sent < cursor.Log.VisibleHead)
        {
            if (!cursor.Log.Covers(cursor.Sent))
            {
                // So far behind that the log has let go; the socket gateway will see the gap and ask.
                cursor.Sent = cursor.Log.OldestSeq - 1;
                continue;
            }

            var events = cursor.Log.Read(cursor.Sent, MaxItemBytes);
            cursor.Sent += events.Length;
            await SendAsync(cursor.Outbox, (sessionKey, cursor.Log.Epoch, events), static (news, silo, number) =>
                GatewayItem.NewEvents(silo, number, news.sessionKey, news.Epoch, news.events));
        }

        if (cursor.IsRemoving)
        {
            await SendRemovalAsync(cursor.Outbox, cursor.Log.Epoch);
        }

        if (cursor.IsLeaving)
        {
            cursor.IsLeaving = false;
            await SendAsync(cursor.Outbox, (sessionKey, cursor.Log.Epoch), static (left, silo, number) =>
                GatewayItem.Asleep(silo, number, left.sessionKey, left.Epoch));
        }

        cursor.IsSending = false;
    }

    private Task SendRemovalAsync(SocketGatewayOutbox outbox, long epoch) =>
        SendAsync(outbox, (sessionKey, epoch), static (removed, silo, number) => GatewayItem.Removed(silo, number, removed.sessionKey, removed.epoch));

    private async Task SendAsync<TState>(SocketGatewayOutbox outbox, TState state, Func<TState, SiloAddress, long, GatewayItem> create)
    {
        try
        {
            await outbox.SendAsync(state, create);
        }
        catch (Exception fault)
        {
            // Its number is used up, so the socket gateway sees the hole and reads the log.
            LogMessages.ItemLost(logger, outbox.Gateway, sessionKey, LoggedException.Of(fault));
        }
    }

    private sealed class Cursor(SocketGatewayOutbox outbox, SessionLog log)
    {
        public SocketGatewayOutbox Outbox { get; } = outbox;

        public SessionLog Log { get; } = log;

        /// <summary>The last number that was handed to the outbox.</summary>
        public long Sent { get; set; } = log.VisibleHead;

        public int Connections { get; set; } = 1;

        public long Version { get; set; }

        public bool IsSending { get; set; }

        public bool IsRemoving { get; set; }

        public bool IsLeaving { get; set; }

        public bool HasMore => Sent < Log.VisibleHead || IsRemoving || IsLeaving;
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "An item for socket gateway {Gateway} about session {SessionKey} was not taken")]
        public static partial void ItemLost(ILogger logger, string gateway, string sessionKey, LoggedException fault);
    }
}
