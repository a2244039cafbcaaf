namespace OrleansSessions.TestKit.Faults;

/// <summary>Ways to choose the fate of each item.</summary>
public static class ItemFates
{
    /// <summary>All items are delivered.</summary>
    public static Func<QueuedItem, ItemFate> None { get; } = static _ => ItemFate.Deliver;

    /// <summary>Of all items of every kind, these shares are dropped, repeated and delayed. The rest is delivered.</summary>
    public static Func<QueuedItem, ItemFate> Mix(double dropped = 0, double repeated = 0, double delayed = 0) => item =>
        item.Chance < dropped ? ItemFate.Drop
        : item.Chance < dropped + repeated ? ItemFate.Repeat
        : item.Chance < dropped + repeated + delayed ? ItemFate.Delay
        : ItemFate.Deliver;

    /// <summary>Drops the items that match, and delivers the others.</summary>
    public static Func<QueuedItem, ItemFate> Drop(Func<QueuedItem, bool> match) => item => match(item) ? ItemFate.Drop : ItemFate.Deliver;
}
