namespace OrleansSessions.Grains.States;

/// <summary>The state of a grain whose calls of the store are watched.</summary>
internal sealed class WatchedState<T>(IPersistentState<T> state, StoreWatch watch) : IPersistentState<T>
{
    public T State
    {
        get => state.State;
        set => state.State = value;
    }

    public string? Etag => state.Etag;

    public bool RecordExists => state.RecordExists;

    public Task ReadStateAsync() => watch.RunAsync(state.ReadStateAsync);

    public Task WriteStateAsync() => watch.RunAsync(state.WriteStateAsync);

    public Task ClearStateAsync() => watch.RunAsync(state.ClearStateAsync);
}
