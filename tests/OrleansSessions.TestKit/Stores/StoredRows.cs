using Orleans.Storage;

namespace OrleansSessions.TestKit.Stores;

/// <summary>
/// A store that outlives every cluster of a test: rows of bytes with ETags. Like Redis it makes a new ETag for each write, and removes what is cleared.
/// </summary>
public sealed class StoredRows
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Grain, string Slot), (byte[] State, string ETag)> _rows = [];

    /// <summary>If true, clearing what is not there is a fault, as some providers have it.</summary>
    public bool ClearsOnlyWhatIsThere { get; set; }

    /// <summary>Returns the names and the content of what is stored of a grain.</summary>
    public IReadOnlyDictionary<string, string> Of(string grain)
    {
        lock (_gate)
        {
            return _rows.Where(row => row.Key.Grain == grain).ToDictionary(row => row.Key.Slot, row => Convert.ToBase64String(row.Value.State));
        }
    }

    /// <summary>Removes rows of a grain, as a store does with what has expired. Returns how many those were.</summary>
    public int Expire(string grain, Predicate<string> isExpired)
    {
        lock (_gate)
        {
            return _rows.Keys.Where(key => key.Grain == grain && isExpired(key.Slot)).ToList().Count(key => _rows.Remove(key));
        }
    }

    public IGrainStorage ToStorage(IGrainStorageSerializer serializer) => new RowStorage(this, serializer);

    private sealed class RowStorage(StoredRows store, IGrainStorageSerializer serializer) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            lock (store._gate)
            {
                var isThere = store._rows.TryGetValue(Key(stateName, grainId), out var row);
                (grainState.State, grainState.ETag, grainState.RecordExists) =
                    (isThere ? serializer.Deserialize<T>(new BinaryData(row.State)) : Activator.CreateInstance<T>(), row.ETag, isThere);
            }

            return Task.CompletedTask;
        }

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            lock (store._gate)
            {
                CheckETag(stateName, grainId, grainState.ETag);
                (grainState.ETag, grainState.RecordExists) = (Guid.NewGuid().ToString("n"), true);
                store._rows[Key(stateName, grainId)] = (serializer.Serialize(grainState.State).ToArray(), grainState.ETag);
            }

            return Task.CompletedTask;
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            lock (store._gate)
            {
                CheckETag(stateName, grainId, grainState.ETag);
                if (!store._rows.Remove(Key(stateName, grainId)) && store.ClearsOnlyWhatIsThere)
                {
                    throw new InvalidOperationException("There is nothing to clear.");
                }

                (grainState.State, grainState.ETag, grainState.RecordExists) = (Activator.CreateInstance<T>(), null, false);
            }

            return Task.CompletedTask;
        }

        private static (string Grain, string Slot) Key(string stateName, GrainId grainId) => (grainId.Key.ToString()!, stateName);

        private void CheckETag(string stateName, GrainId grainId, string? expected)
        {
            var found = store._rows.TryGetValue(Key(stateName, grainId), out var row) ? row.ETag : null;
            if (found != expected)
            {
                throw new InconsistentStateException($"Stored {found}, expected {expected}.", found, expected);
            }
        }
    }
}
