using OrleansSessions.Log;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// Items that arrived while the log was being read. Their number and their text are limited. Above a limit all of them are dropped, because the log contains
/// them.
/// </summary>
internal sealed class HeldEvents(SocketGatewayOptions options)
{
    private readonly List<(long Epoch, LogEvent[] Events)> _items = [];
    private long _bytes;

    /// <summary>True once items were dropped, so that the log must be read again.</summary>
    public bool HasDropped { get; private set; }

    /// <param name="mayHold">False to drop everything at once, because the client cannot be sent it soon.</param>
    public void Add(long epoch, LogEvent[] events, bool mayHold)
    {
        if (HasDropped)
        {
            return;
        }

        foreach (var held in events)
        {
            _bytes += held.Text.Length * sizeof(char);
        }

        if (mayHold && _items.Count < options.MaxHeldItems && _bytes <= options.MaxQueuedBytes)
        {
            _items.Add((epoch, events));
            return;
        }

        Clear();
        HasDropped = true;
    }

    /// <summary>A read starts, which returns all that was dropped so far.</summary>
    public void ForgetDropped()
    {
        if (HasDropped)
        {
            Clear();
        }
    }

    /// <summary>Removes and returns all items, in the order of their arrival.</summary>
    public (long Epoch, LogEvent[] Events)[] TakeAll()
    {
        if (_items.Count == 0)
        {
            return [];
        }

        var all = _items.ToArray();
        Clear();
        return all;
    }

    public void Clear()
    {
        _items.Clear();
        _bytes = 0;
        HasDropped = false;
    }
}
