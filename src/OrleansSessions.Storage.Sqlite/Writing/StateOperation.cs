using OrleansSessions.Storage.Sqlite.Files;

namespace OrleansSessions.Storage.Sqlite.Writing;

/// <summary>One operation on the file. Its result is published only after the transaction that it belongs to.</summary>
internal abstract class StateOperation
{
    /// <summary>True if the operation has a place in the queue, which it leaves when it has ended.</summary>
    public bool HasPlace { get; set; }

    /// <summary>Runs inside the transaction. An exception undoes the whole transaction.</summary>
    public abstract void Execute(StateFile file);

    /// <summary>Ends the operation after the commit.</summary>
    public abstract void Complete();

    /// <summary>Ends the operation after a transaction that failed.</summary>
    public abstract void Fail(Exception fault);
}

/// <summary>An operation that somebody waits for.</summary>
internal abstract class StateOperation<T> : StateOperation
{
    // Continuations belong to grains. They must not run on the thread of the file.
    private readonly TaskCompletionSource<T> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> End => _end.Task;

    public sealed override void Execute(StateFile file) => _result = Execute(file.States);

    public sealed override void Complete() => _end.SetResult(_result);

    public sealed override void Fail(Exception fault) => _end.SetException(fault);

    protected abstract T Execute(StateTable states);
}

internal sealed class ReadOperation(StateKey key) : StateOperation<StoredState?>
{
    protected override StoredState? Execute(StateTable states) => states.Read(key);
}

internal sealed class WriteOperation(StateKey key, long etag, ReadOnlyMemory<byte> state) : StateOperation<StateOutcome>
{
    protected override StateOutcome Execute(StateTable states) => states.Write(key, etag, state);
}

internal sealed class ClearOperation(StateKey key, long etag) : StateOperation<StateOutcome>
{
    protected override StateOutcome Execute(StateTable states) => states.Clear(key, etag);
}
