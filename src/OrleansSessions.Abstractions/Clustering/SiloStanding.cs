using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Stores;

namespace OrleansSessions.Clustering;

/// <summary>
/// Whether this silo may still speak for its sessions. A process that hung is not told at once that it was declared dead meanwhile, and the calls that wait for it
/// come first: it would answer them from a past that others have gone beyond. So a session answers only while the silo was seen in the membership table a moment
/// ago; otherwise its calls wait for the next look.
/// </summary>
internal sealed class SiloStanding(
    ClusterEviction eviction, StoreHealth health, [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time)
{
    /// <summary>A silo that hangs is declared dead after 3 s at the earliest: three probes, one each second.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>A table that does not answer says nothing about this silo, and what it would write fails by itself.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The same while the store is away. A process that hung takes its own pause for an outage at first, and knows better as soon as the store answers.</summary>
    private static readonly TimeSpan OutagePatience = TimeSpan.FromSeconds(0.5);

    private readonly Lock _changing = new();
    private TaskCompletionSource _seen = New();
    private TaskCompletionSource _wanted = New();
    private long? _seenAt;

    /// <summary>Completes when a look at the table is wanted at once.</summary>
    public Task Wanted
    {
        get
        {
            lock (_changing)
            {
                return _wanted.Task;
            }
        }
    }

    /// <summary>The table has not shown that the silo is dead, or could not be read. Until the first call nothing is doubted.</summary>
    /// <param name="startedAt">When the read was begun, as a timestamp of the system's timers.</param>
    public void Confirm(long startedAt)
    {
        TaskCompletionSource seen;
        lock (_changing)
        {
            _seenAt = startedAt;
            (seen, _seen) = (_seen, New());
            if (_wanted.Task.IsCompleted)
            {
                _wanted = New();
            }
        }

        seen.TrySetResult();
    }

    /// <summary>
    /// Completes at once, unless the silo was not seen for <see cref="Limit"/>. While the store has been away for a
    /// moment, nothing can be learned.
    /// </summary>
    /// <exception cref="Exception">The silo is evicted, as <see cref="ClusterEviction.ThrowIfEvicted"/> says.</exception>
    public ValueTask CheckAsync()
    {
        eviction.ThrowIfEvicted();
        Task seen;
        lock (_changing)
        {
            if (_seenAt is not { } seenAt || time.GetElapsedTime(seenAt) < Limit || health.IsAwayFor(OutagePatience))
            {
                return default;
            }

            seen = _seen.Task;
            _wanted.TrySetResult();
        }

        return new(WaitAsync(seen));
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task WaitAsync(Task seen)
    {
        try
        {
            await seen.WaitAsync(health.IsAway ? OutagePatience : Patience, time, eviction.Evicted);
        }
        catch (Exception fault) when (fault is TimeoutException or OperationCanceledException)
        {
        }

        eviction.ThrowIfEvicted();
    }
}
