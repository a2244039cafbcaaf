using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.States;

/// <summary>
/// Notes which calls of the store fail or hang. Where one hangs, or one fails and a probe cannot write either, the store is away: calls fail at once, without
/// reaching it, until a probe has written to it. Reading is not enough, because a replica, or a file on a full disk, can be read. Thread-safe.
/// </summary>
internal sealed class StoreWatch(StoreHealth health, [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time) : IDisposable
{
    public static readonly TimeSpan ProbePeriod = TimeSpan.FromMilliseconds(500);

    /// <summary>A call that fails after this time has hung. One that fails sooner can be alone with that.</summary>
    private static readonly TimeSpan Hung = TimeSpan.FromSeconds(1);

    /// <summary>An outage that is over so soon was the fault of one call, and the log says so.</summary>
    private static readonly TimeSpan AnnounceAfter = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _looking = new();
    private Task<bool>? _look;
    private IGrainStorage? _storage;

    public StoreHealth Health => health;

    /// <summary>How long one call of the store can take. Above the two seconds of the Redis client, whose faults say more.</summary>
    public TimeSpan OperationLimit { get; init; } = TimeSpan.FromMilliseconds(2_500);

    /// <summary>How long a caller waits for its write, which can be several calls of the store.</summary>
    public TimeSpan CallerLimit { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Where the probe runs. Default: the thread pool.</summary>
    public TaskScheduler Scheduler { get; init; } = TaskScheduler.Default;

    /// <summary>Returns the storage as sessions use it. Call it once.</summary>
    public IGrainStorage Watch(IGrainStorage storage)
    {
        _storage = storage;
        return new WatchedStorage(storage, this);
    }

    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public void ThrowIfAway()
    {
        if (health.IsAway)
        {
            throw new StoreUnavailableException();
        }
    }

    /// <summary>Runs one call of the store.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, or the call failed or took too long. It can still have its effect.</exception>
    /// <exception cref="InconsistentStateException">The store answers, but holds something else than the caller knows.</exception>
    public async Task RunAsync(Func<Task> operation)
    {
        ThrowIfAway();
        var startedAt = time.GetTimestamp();
        try
        {
            await operation().WaitAsync(OperationLimit, time);
        }
        catch (InconsistentStateException)
        {
            throw;
        }
        catch (Exception fault)
        {
            NoteFault(fault, hasHung: time.GetElapsedTime(startedAt) >= Hung);
            throw new StoreUnavailableException();
        }
    }

    /// <summary>Waits for a call of something else in the store, as long as for one of the store.</summary>
    public Task<T> LimitAsync<T>(Task<T> call) => call.WaitAsync(OperationLimit, time);

    /// <summary>Finds out whether the store is away after something else has failed that can be in the same store.</summary>
    /// <param name="fault">What has failed.</param>
    public async Task<bool> IsAwayAsync(Exception fault)
    {
        if (_storage is not { } storage || health.IsAway)
        {
            return health.IsAway;
        }

        return !await CanBeWrittenAsync(storage, fault);
    }

    /// <summary>Waits for what goes on until the store is back.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, or it took too long. What was waited for goes on.</exception>
    public async ValueTask WaitAsync(Task write)
    {
        if (write.IsCompleted)
        {
            return;
        }

        ThrowIfAway();
        try
        {
            await Task.WhenAny(write, health.Away).WaitAsync(CallerLimit, time);
        }
        catch (TimeoutException)
        {
            throw new StoreUnavailableException();
        }

        if (!write.IsCompleted)
        {
            throw new StoreUnavailableException();
        }
    }

    /// <summary>Waits for one attempt at a write. Its fault is that of this call.</summary>
    /// <exception cref="StoreUnavailableException">It took too long. The attempt goes on.</exception>
    public async ValueTask WaitForAttemptAsync(Task attempt)
    {
        try
        {
            await attempt.WaitAsync(CallerLimit, time);
        }
        catch (TimeoutException) when (!attempt.IsCompleted)
        {
            attempt.Ignore();
            throw new StoreUnavailableException();
        }
    }

    /// <summary>Waits before a write is tried again: so long in any case, and then until the store is back.</summary>
    public async Task UntilBackAsync(TimeSpan atLeast, CancellationToken cancellationToken)
    {
        await Task.Delay(atLeast, time, cancellationToken);
        await health.Back.WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private void NoteFault(Exception fault, bool hasHung)
    {
        if (_storage is not { } storage)
        {
            return;
        }

        if (hasHung)
        {
            Leave(storage, fault);
        }
        else if (!health.IsAway)
        {
            // From now on, so that what is logged about this call is known to be about the store.
            health.Doubt();
            Start(async () =>
            {
                await CanBeWrittenAsync(storage, fault);
                health.EndDoubt();
            });
        }
    }

    /// <summary>Tries to write, once for all calls that fail meanwhile. If that fails too, the store is away.</summary>
    private Task<bool> CanBeWrittenAsync(IGrainStorage storage, Exception fault)
    {
        lock (_looking)
        {
            if (_look is not { IsCompleted: false })
            {
                health.Doubt();
                _look = LookAsync(storage, fault);
            }

            return _look;
        }
    }

    private async Task<bool> LookAsync(IGrainStorage storage, Exception fault)
    {
        try
        {
            if (await new StoreProbe(storage, time).TryAsync(OperationLimit))
            {
                health.NoteFault(fault);
                return true;
            }

            Leave(storage, fault);
            return false;
        }
        finally
        {
            health.EndDoubt();
        }
    }

    private void Leave(IGrainStorage storage, Exception fault)
    {
        if (health.TryLeave(fault))
        {
            var probe = new StoreProbe(storage, time);
            Start(() => ProbeUntilBackAsync(probe, _stopping.Token));
        }
    }

    private void Start(Func<Task> run) =>
        Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.None, Scheduler).Unwrap().Ignore();

    private async Task ProbeUntilBackAsync(StoreProbe probe, CancellationToken stopping)
    {
        var first = probe.TryAsync(OperationLimit);
        if (await Task.WhenAny(first, Task.Delay(AnnounceAfter, time, stopping)) != first || !await first)
        {
            health.Announce();
        }

        if (!await first)
        {
            do
            {
                await Task.Delay(ProbePeriod, time, stopping);
            }
            while (!await probe.TryAsync(OperationLimit));
        }

        health.Return();
    }
}
