using System.Collections.Concurrent;
using Orleans.Storage;

namespace OrleansSessions.TestKit.Clusters;

/// <summary>An in-memory grain storage whose writes a test can hold back or fail. It checks ETags like a real storage.</summary>
public sealed class GatedStorage : IGrainStorage
{
    private readonly ConcurrentDictionary<string, (object State, int ETag, DateTimeOffset WrittenAt)> _rows = new();
    private volatile TaskCompletionSource? _gate;
    private TaskCompletionSource _blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _failures;
    private int _writes;

    public IEnumerable<string> Keys => _rows.Keys;

    /// <summary>If true, writes and removals throw.</summary>
    public bool Fail { get; set; }

    public int Failures => Volatile.Read(ref _failures);

    /// <summary>The number of write attempts, including those that failed.</summary>
    public int Writes => Volatile.Read(ref _writes);

    /// <summary>Completes when a write waits at the closed gate.</summary>
    public Task Blocked => _blocked.Task;

    public void Close()
    {
        _blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Open()
    {
        var gate = _gate;
        _gate = null;
        gate?.TrySetResult();
    }

    /// <summary>Rows expire this long after their last write, measured by <see cref="Clock"/>.</summary>
    public TimeSpan Expiry { get; init; } = TimeSpan.MaxValue;

    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>Replaces the stored state, to simulate older state that comes back.</summary>
    public void Edit<T>(Action<T> edit)
    {
        foreach (var (state, _, _) in _rows.Values)
        {
            if (state is T found)
            {
                edit(found);
            }
        }
    }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (TryFind(Key(stateName, grainId), out var row))
        {
            (grainState.State, grainState.ETag, grainState.RecordExists) = ((T)row.State, row.ETag.ToString(), true);
        }
        else
        {
            (grainState.State, grainState.ETag, grainState.RecordExists) = (Activator.CreateInstance<T>(), null, false);
        }

        return Task.CompletedTask;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Interlocked.Increment(ref _writes);
        if (_gate is { } gate)
        {
            _blocked.TrySetResult();
            await gate.Task;
        }

        if (Fail)
        {
            Interlocked.Increment(ref _failures);
            throw new IOException("The store is not available.");
        }

        var key = Key(stateName, grainId);
        var stored = TryFind(key, out var row) ? row.ETag.ToString() : null;
        if (stored != grainState.ETag)
        {
            throw new InconsistentStateException($"Stored {stored}, expected {grainState.ETag}.", stored, grainState.ETag);
        }

        var next = row.ETag + 1;
        _rows[key] = (grainState.State!, next, Clock.GetUtcNow());
        (grainState.ETag, grainState.RecordExists) = (next.ToString(), true);
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (Fail)
        {
            Interlocked.Increment(ref _failures);
            throw new IOException("The store is not available.");
        }

        _rows.TryRemove(Key(stateName, grainId), out _);
        (grainState.State, grainState.ETag, grainState.RecordExists) = (Activator.CreateInstance<T>(), null, false);
        return Task.CompletedTask;
    }

    private bool TryFind(string key, out (object State, int ETag, DateTimeOffset WrittenAt) row)
    {
        if (_rows.TryGetValue(key, out row) && Clock.GetUtcNow() - row.WrittenAt < Expiry)
        {
            return true;
        }

        row = default;
        return false;
    }

    private static string Key(string stateName, GrainId grainId) => $"{stateName}/{grainId}";
}
