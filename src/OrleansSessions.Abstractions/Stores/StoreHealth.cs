using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;

namespace OrleansSessions.Stores;

/// <summary>
/// Whether the store of the sessions can be written, as this process knows it. A silo knows it from its own writes, a socket gateway without a silo from the silos.
/// An outage has one line in the log when it begins, and one when it is over. Thread-safe.
/// </summary>
public sealed partial class StoreHealth(TimeProvider time, ILogger<StoreHealth> logger)
{
    /// <summary>How long calls that failed during an outage are still reported after it: their callers wait at most 5 s.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(5);

    /// <summary>The shortest time between two lines about calls that failed by themselves.</summary>
    private static readonly TimeSpan NotePeriod = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private Outage? _outage;
    private int _doubts;
    private long? _backAt;
    private long? _notedAt;
    private int _unnoted;

    // Their continuations run in the turns of grains, or change nothing but a task, so they need no thread of their own.
    private TaskCompletionSource _away = new();
    private TaskCompletionSource _back = Completed();

    /// <summary>True while the store cannot be written. What needs a write is refused then, and running answers go on.</summary>
    public bool IsAway => Volatile.Read(ref _outage) is not null;

    /// <summary>True while the store is away, or a call has failed and it is not known yet whether it is.</summary>
    public bool IsInDoubt => IsAway || Volatile.Read(ref _doubts) > 0;

    /// <summary>True while an outage that has, or will have, its own line in the log explains what else is logged about failed calls.</summary>
    public bool ExplainsFaults
    {
        get
        {
            lock (_gate)
            {
                return IsInDoubt || (_backAt is { } backAt && time.GetElapsedTime(backAt) < Aftermath);
            }
        }
    }

    /// <summary>True if the store has been away for at least so long.</summary>
    public bool IsAwayFor(TimeSpan atLeast) => Volatile.Read(ref _outage) is { } outage && time.GetElapsedTime(outage.Start) >= atLeast;

    /// <summary>Completes once the store is away.</summary>
    public Task Away => Volatile.Read(ref _away).Task;

    /// <summary>Completes once the store is back. Completed while it is not away.</summary>
    public Task Back => Volatile.Read(ref _back).Task;

    /// <summary>Says what is wrong, for people; null while the store is not away.</summary>
    public string? Describe() => Volatile.Read(ref _outage) is { } outage
        ? FormattableString.Invariant(
            $"The store of the sessions cannot be written for {time.GetElapsedTime(outage.Start).TotalSeconds:0} s. Questions are refused; running answers go on.")
        : null;

    /// <summary>The store is away.</summary>
    /// <param name="fault">What showed it, or null where another process did.</param>
    /// <returns>False if that was known.</returns>
    internal bool TryLeave(Exception? fault)
    {
        TaskCompletionSource away;
        lock (_gate)
        {
            if (_outage is not null)
            {
                return false;
            }

            _back = new();
            away = _away;
            Volatile.Write(ref _outage, new(time.GetTimestamp(), fault));
        }

        away.SetResult();
        return true;
    }

    /// <summary>Writes into the log that the store is away, once for each outage.</summary>
    internal void Announce()
    {
        lock (_gate)
        {
            if (_outage is not { IsAnnounced: false } outage)
            {
                return;
            }

            outage.IsAnnounced = true;
            var seconds = (long)time.GetElapsedTime(outage.Start).TotalSeconds;
            LogMessages.Away(logger, seconds, outage.Fault is null ? "a silo has reported it" : LoggedException.Of(outage.Fault).Message);
        }
    }

    /// <summary>A call has failed. Follow it by <see cref="EndDoubt"/>.</summary>
    internal void Doubt() => Interlocked.Increment(ref _doubts);

    internal void EndDoubt() => Interlocked.Decrement(ref _doubts);

    /// <summary>A call has failed, and the store can be written all the same.</summary>
    internal void NoteFault(Exception fault)
    {
        lock (_gate)
        {
            _unnoted++;
            if (_notedAt is not { } notedAt || time.GetElapsedTime(notedAt) >= NotePeriod)
            {
                LogMessages.Failed(logger, _unnoted, LoggedException.Of(fault).Message);
                (_notedAt, _unnoted) = (time.GetTimestamp(), 0);
            }
        }
    }

    /// <summary>The store is back.</summary>
    internal void Return()
    {
        TaskCompletionSource back;
        lock (_gate)
        {
            if (_outage is not { } outage)
            {
                return;
            }

            if (outage.IsAnnounced)
            {
                LogMessages.Back(logger, time.GetElapsedTime(outage.Start).TotalSeconds);
            }
            else if (outage.Fault is { } fault)
            {
                NoteFault(fault);
            }

            _backAt = time.GetTimestamp();
            _away = new();
            back = _back;
            Volatile.Write(ref _outage, null);
        }

        back.SetResult();
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }

    private sealed class Outage(long start, Exception? fault)
    {
        public long Start { get; } = start;

        public Exception? Fault { get; } = fault;

        public bool IsAnnounced { get; set; }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning,
            "The store of the sessions is away (noticed {Seconds} s ago: {Fault}). Questions are refused and running answers go on until it can be written again. "
            + "It is tried every half second.")]
        public static partial void Away(ILogger logger, long seconds, string fault);

        [LoggerMessage(2, LogLevel.Information, "The store of the sessions is back. It was away for {Seconds:0.0} s.")]
        public static partial void Back(ILogger logger, double seconds);

        [LoggerMessage(3, LogLevel.Warning, "{Count} calls of the store of the sessions failed (the last one: {Fault}), but the store can be written.")]
        public static partial void Failed(ILogger logger, int count, string fault);
    }
}
