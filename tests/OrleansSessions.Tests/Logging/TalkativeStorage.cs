using Orleans.Storage;

namespace OrleansSessions.Tests.Logging;

/// <summary>A storage that repeats the data that it received in its exceptions, like a store that quotes an invalid command.</summary>
internal sealed class TalkativeStorage(string said) : IGrainStorage
{
    public bool Fails { get; set; } = true;

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.State = Activator.CreateInstance<T>();
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Fails ? throw new IOException($"unknown command, with args '{said}'") : Task.CompletedTask;

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Task.CompletedTask;
}
