using Orleans.Storage;

namespace OrleansSessions.Streaming.Tests;

/// <summary>A subscription store whose writes wait until it is opened. A new stream, and its queue, wait with them.</summary>
internal sealed class GatedPubSubStore : IGrainStorage
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _open.TrySetResult();

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Task.CompletedTask;

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => _open.Task;

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => _open.Task;
}
