using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Storage;
using OrleansSessions.Sessions;

namespace OrleansSessions.TestKit.Stores;

/// <summary>
/// How one cluster reaches the store of its sessions. It records each operation, and a test can hold it up, fail it, or lose its reply. States pass through
/// the serializer that the server uses for Redis.
/// </summary>
public sealed class StoreAccess
{
    private readonly ConcurrentQueue<StoreOperation> _operations = new();

    /// <summary>Runs before an operation reaches the store. If it throws, the operation does not.</summary>
    public Func<StoreOperation, Task>? Before { get; set; }

    /// <summary>Runs after an operation has reached the store. If it throws, only the reply is lost.</summary>
    public Func<StoreOperation, Task>? After { get; set; }

    /// <summary>Those that were begun, in that order.</summary>
    public IReadOnlyCollection<StoreOperation> Operations => _operations;

    public void ForgetOperations() => _operations.Clear();

    /// <param name="inner">The store behind it.</param>
    public void Register(ISiloBuilder silo, Func<IServiceProvider, IGrainStorage> inner) => silo.Services.AddKeyedSingleton<IGrainStorage>(
        SessionsOptions.StorageName,
        (services, _) => new AccessedStorage(this, inner(services), new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>())));

    private sealed class AccessedStorage(StoreAccess access, IGrainStorage inner, IGrainStorageSerializer serializer) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            RunAsync(new(StoreOperationKind.Read, grainId.Key.ToString()!, stateName, default), () => inner.ReadStateAsync(stateName, grainId, grainState));

        public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            // The state is taken now: the caller may change it while the operation is held up.
            var bytes = serializer.Serialize(grainState.State);
            var taken = new GrainState<T>(serializer.Deserialize<T>(bytes), grainState.ETag) { RecordExists = grainState.RecordExists };
            await RunAsync(
                new(StoreOperationKind.Write, grainId.Key.ToString()!, stateName, bytes.ToMemory()), () => inner.WriteStateAsync(stateName, grainId, taken));
            (grainState.ETag, grainState.RecordExists) = (taken.ETag, taken.RecordExists);
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            RunAsync(new(StoreOperationKind.Clear, grainId.Key.ToString()!, stateName, default), () => inner.ClearStateAsync(stateName, grainId, grainState));

        private async Task RunAsync(StoreOperation operation, Func<Task> run)
        {
            access._operations.Enqueue(operation);
            if (access.Before is { } before)
            {
                await before(operation);
            }

            await run();
            if (access.After is { } after)
            {
                await after(operation);
            }
        }
    }
}
