namespace OrleansSessions.TestKit.Stores;

public enum StoreOperationKind
{
    Read,
    Write,
    Clear,
}

/// <summary>One call of a grain storage.</summary>
/// <param name="Grain">The key of the grain whose state it is.</param>
/// <param name="Slot">The name of the state.</param>
/// <param name="State">For a write: the state as it is stored. Empty for the others.</param>
public sealed record StoreOperation(StoreOperationKind Kind, string Grain, string Slot, ReadOnlyMemory<byte> State)
{
    /// <summary>True for what changes the store.</summary>
    public bool IsChange => Kind != StoreOperationKind.Read;

    /// <summary>What goes to the store: the state and the names under which it is kept.</summary>
    public int Bytes => Grain.Length + Slot.Length + State.Length;
}
