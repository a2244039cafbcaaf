using Orleans.Storage;

namespace OrleansSessions.Tests.Storage;

/// <summary>A state of a grain in a storage, as one activation knows it.</summary>
internal sealed class Slot(IGrainStorage storage, GrainId grain, string name = "thing")
{
    private readonly GrainState<StoredThing> _state = new() { State = new() };

    public string Text => _state.State!.Text;

    public string? ETag
    {
        get => _state.ETag;
        set => _state.ETag = value!;
    }

    public bool Exists => _state.RecordExists;

    public static GrainId Grain(string key, string type = "stored") => GrainId.Create(type, key);

    public async Task<Slot> ReadAsync()
    {
        await storage.ReadStateAsync(name, grain, _state);
        return this;
    }

    public Task WriteAsync(string text)
    {
        _state.State!.Text = text;
        return storage.WriteStateAsync(name, grain, _state);
    }

    public Task ClearAsync() => storage.ClearStateAsync(name, grain, _state);
}
