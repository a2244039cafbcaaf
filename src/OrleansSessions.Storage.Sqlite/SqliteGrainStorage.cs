using System.Globalization;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using OrleansSessions.Storage.Sqlite.Files;
using OrleansSessions.Storage.Sqlite.Writing;

namespace OrleansSessions.Storage.Sqlite;

/// <summary>
/// Grain storage in one file. States are serialised here, in the turn of the grain, and everything else happens on the thread of the
/// <see cref="StateWriter"/>. No await here leaves the context of its caller, so an operation costs one switch of threads in each direction.
/// </summary>
internal sealed class SqliteGrainStorage(string name, StateWriter writer, Serializer serializer, IActivatorProvider activators)
    : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private readonly OrleansGrainStorageSerializer _serializer = new(serializer);

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var stored = await writer.RunAsync(new ReadOperation(StateKey.Of(stateName, grainId)));
        if (stored is { } found)
        {
            grainState.State = _serializer.Deserialize<T>(new BinaryData(found.State)) ?? CreateInstance<T>();
            grainState.ETag = Text(found.ETag);
            grainState.RecordExists = true;
        }
        else
        {
            SetMissing(grainState);
        }
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var state = _serializer.Serialize(grainState.State).ToMemory();
        var outcome = await writer.RunAsync(new WriteOperation(StateKey.Of(stateName, grainId), Number(grainState.ETag), state));
        if (outcome.IsConflict)
        {
            throw Conflict("written", stateName, grainId, outcome, grainState.ETag);
        }

        grainState.ETag = Text(outcome.ETag);
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var outcome = await writer.RunAsync(new ClearOperation(StateKey.Of(stateName, grainId), Number(grainState.ETag)));
        if (outcome.IsConflict)
        {
            throw Conflict("cleared", stateName, grainId, outcome, grainState.ETag);
        }

        SetMissing(grainState);
    }

    /// <summary>Opens the file, unless that has happened already.</summary>
    public Task OpenAsync() => writer.StartAsync();

    /// <summary>Opens the file before anything of the silo can need it, and closes it after everything that could.</summary>
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(
        $"{nameof(SqliteGrainStorage)}-{name}", ServiceLifecycleStage.RuntimeStorageServices, _ => OpenAsync(), _ => writer.StopAsync());

    /// <summary>Closes the file of a silo that was not stopped.</summary>
    public void Dispose() => writer.Dispose();

    private void SetMissing<T>(IGrainState<T> grainState) =>
        (grainState.State, grainState.ETag, grainState.RecordExists) = (CreateInstance<T>(), null, false);

    private T CreateInstance<T>() => activators.GetActivator<T>().Create();

    private InconsistentStateException Conflict(string what, string stateName, GrainId grainId, StateOutcome outcome, string? current) => new(
        $"The state '{stateName}' of grain '{grainId}' in storage '{name}' cannot be {what}, because it is not the state that was read.",
        outcome.ETag is 0 ? null : Text(outcome.ETag),
        current);

    private static string Text(long etag) => etag.ToString(CultureInfo.InvariantCulture);

    /// <summary>Returns the number of an ETag, 0 for none, or -1, which no state has, for one that is not from here.</summary>
    private static long Number(string? etag) =>
        string.IsNullOrEmpty(etag) ? 0 : long.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : -1;
}
