namespace OrleansSessions.TestKit.Faults;

/// <summary>What a <see cref="FaultyQueue"/> does with an item.</summary>
public enum ItemFate
{
    /// <summary>The item is queued, as always.</summary>
    Deliver,

    /// <summary>The item is lost, and its producer is not told.</summary>
    Drop,

    /// <summary>The item is queued, and once more a little later.</summary>
    Repeat,

    /// <summary>The item is queued a little later, so that later items overtake it.</summary>
    Delay,
}
