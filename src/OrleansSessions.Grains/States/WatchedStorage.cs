using Orleans.Storage;

namespace OrleansSessions.Grains.States;

/// <summary>A grain storage whose calls are watched. A call that took too long changes nothing in the caller's state when it returns after all.</summary>
internal sealed class WatchedStorage(IGrainStorage storage, StoreWatch watch) : IGrainStorage
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        RunAsync(grainState, state => storage.ReadStateAsync(stateName, grainId, state));

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        RunAsync(grainState, state => storage.WriteStateAsync(stateName, grainId, state));

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        RunAsync(grainState, state => storage.ClearStateAsync(stateName, grainId, state));

    private async Task RunAsync<T>(IGrainState<T> state, Func<IGrainState<T>, Task> operation)
    {
        var own = new GrainState<T>(state.State, state.ETag) { RecordExists = state.RecordExists };
        await watch.RunAsync(() => operation(own));
        (state.State, state.ETag, state.RecordExists) = (own.State, own.ETag, own.RecordExists);
    }
}
