using Orleans.GrainDirectory;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.States;

/// <summary>
/// A grain directory that is in the store of the sessions. While that is away its calls fail at once, so that a call to a session that is not active does not wait.
/// </summary>
internal sealed class WatchedDirectory(IGrainDirectory directory, StoreWatch watch) : IGrainDirectory, ILifecycleParticipant<ISiloLifecycle>
{
    public Task<GrainAddress?> Register(GrainAddress address) => RunAsync(() => directory.Register(address));

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => RunAsync(() => directory.Register(address, previousAddress));

    public Task<GrainAddress?> Lookup(GrainId grainId) => RunAsync(() => directory.Lookup(grainId));

    // Both are tried in any case: what stays is an entry of a dead activation.
    public Task Unregister(GrainAddress address) => directory.Unregister(address);

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => directory.UnregisterSilos(siloAddresses);

    public void Participate(ISiloLifecycle observer) => (directory as ILifecycleParticipant<ISiloLifecycle>)?.Participate(observer);

    private async Task<GrainAddress?> RunAsync(Func<Task<GrainAddress?>> operation)
    {
        watch.ThrowIfAway();
        try
        {
            return await watch.LimitAsync(operation());
        }
        catch (Exception fault)
        {
            // The directory has connections of its own. Whether the store is away, the store itself shows.
            watch.IsAwayAsync(fault).Ignore();
            throw new StoreUnavailableException();
        }
    }
}
