using OrleansSessions.Log;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// Items that arrived while the log was being read. Their number is limited. Above the limit all of them are dropped, because the log contains them.
/// </summary>
internal sealed class HeldEvents(int maxItems)
{
    private readonly List<(long Epoch, LogEvent[] Events)> _items = [];

    /// <summary>True once items were dropped, so that the log must be read again.</summary>
    public bool HasDropped { get; private set; }

    public void Add(long epoch, LogEvent[] events)
    {
        if (HasDropped)
        {
            return;
        }

        if (_items.Count < maxItems)
        {
            _items.Add((epoch, events));
            return;
        }

        _items.Clear();
        HasDropped = true;
    }

    /// <summary>Removes and returns all items, in the order of their arrival.</summary>
    public (long Epoch, LogEvent[] Events)[] TakeAll()
    {
        if (_items.Count == 0)
        {
            return [];
        }

        var all = _items.ToArray();
        _items.Clear();
        return all;
    }

    public void Clear()
    {
        _items.Clear();
        HasDropped = false;
    }
}
