using Orleans.Storage;

namespace OrleansSessions.Grains.States;

/// <summary>Finds out whether the store can be written, with a small state of its own, which it removes again.</summary>
internal sealed class StoreProbe(IGrainStorage storage, TimeProvider time)
{
    private const string Name = "probe";

    // One for each outage: what another process writes does not matter, and what cannot be removed expires.
    private readonly GrainId _grain = GrainId.Create("orleanssessions.storeprobe", Guid.NewGuid().ToString("N"));

    /// <summary>True if each of its three calls was done in time. Never throws.</summary>
    /// <param name="limit">For one call: a store that is slow is not away.</param>
    public async Task<bool> TryAsync(TimeSpan limit)
    {
        try
        {
            await WriteAsync().WaitAsync(3 * limit, time);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private async Task WriteAsync()
    {
        // The last probe can have been written without a reply, and then only the store knows its ETag.
        var state = new GrainState<ProbeState>(new());
        await storage.ReadStateAsync(Name, _grain, state);
        state.State = new() { WrittenAt = time.GetUtcNow() };
        await storage.WriteStateAsync(Name, _grain, state);
        await storage.ClearStateAsync(Name, _grain, state);
    }
}

/// <summary>What a probe writes.</summary>
[GenerateSerializer, Alias("OrleansSessions.ProbeState")]
internal sealed class ProbeState
{
    [Id(0)]
    public DateTimeOffset WrittenAt { get; set; }
}
