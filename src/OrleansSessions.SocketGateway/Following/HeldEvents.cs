using OrleansSessions.Log;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>News that came while the log was being read. Bounded in number: past the bound all of it is dropped, because the log has it.</summary>
internal sealed class HeldEvents(int maxItems)
{
    private readonly List<(long Epoch, LogEvent[] Events)> _items = [];

    /// <summary>True once something was dropped: the log must be read again.</summary>
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

    /// <summary>Takes all of it, in the order in which it came.</summary>
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
