using Orleans.Storage;

namespace OrleansSessions.Grains.Records;

/// <summary>One place in the grain storage, with the ETag that it had when it was last read or written here.</summary>
internal sealed class StoredSlot<T>(IGrainStorage storage, string name, GrainId grain)
    where T : class, new()
{
    private readonly GrainState<T> _state = new();

    /// <summary>True if something is there, as far as is known here.</summary>
    public bool IsThere => _state.RecordExists;

    /// <summary>What is there, or null.</summary>
    public async Task<T?> ReadAsync()
    {
        await storage.ReadStateAsync(name, grain, _state);
        var state = _state.RecordExists ? _state.State : null;
        _state.State = null!;
        return state;
    }

    /// <exception cref="InconsistentStateException">Something else is there than was read or written here last.</exception>
    public async Task WriteAsync(T state)
    {
        _state.State = state;
        try
        {
            await storage.WriteStateAsync(name, grain, _state);
        }
        finally
        {
            _state.State = null!;
        }
    }

    /// <inheritdoc cref="WriteAsync"/>
    public async Task ClearAsync()
    {
        await storage.ClearStateAsync(name, grain, _state);
        _state.State = null!;
    }
}
