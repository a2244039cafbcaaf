namespace OrleansSessions.Scopes;

/// <summary>
/// The permits of this process in one scope. One report is under way at a time, and it covers all that wait for it. Thread-safe; no member calls a grain
/// under the lock, or in the turn of its caller.
/// </summary>
internal sealed class ScopeLease(string scope, ScopePermits permits)
{
    /// <summary>How long permits that are not in use are kept, so that a question after another costs no call.</summary>
    public static readonly TimeSpan SpareTime = TimeSpan.FromSeconds(10);

    /// <summary>A sixteenth of the limit can be spare, and one always can.</summary>
    private const int SpareShare = 16;

    // Reports are spread over half of the period, because many sockets can open at the same moment.
    private const double MinRefreshShare = 0.75;

    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource<bool>> _waiting = new();
    private long _usedAt;
    private long _reportedAt;
    private TimeSpan _refreshAfter;
    private int _used;
    private int _granted;
    private int _asking;
    private bool _isOver;
    private bool _isReporting;
    private bool _isRefreshDue;
    private bool _isRetired;

    private TimeProvider Clock => permits.Clock;

    private int MaxSpare => Math.Max(1, permits.Terms.Limit / SpareShare);

    private bool IsReportDue => _waiting.Count > 0 || _isRefreshDue || _granted - _used > MaxSpare;

    /// <summary>Takes a permit. Null if this lease is no longer in use.</summary>
    public ValueTask<bool>? TryTake()
    {
        lock (_gate)
        {
            if (_isRetired)
            {
                return null;
            }

            if (_used < _granted && _waiting.Count == 0)
            {
                Use(1);
                return new(true);
            }

            var waiter = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(waiter);
            Report();
            return new(waiter.Task);
        }
    }

    /// <summary>Takes permits, also above what is granted. Null if this lease is no longer in use.</summary>
    public bool? Take(int count)
    {
        lock (_gate)
        {
            if (_isRetired)
            {
                return null;
            }

            Use(count);
            _isRefreshDue |= _used > _granted;
            Report();
            return true;
        }
    }

    public void Release(int count)
    {
        lock (_gate)
        {
            _used -= count;
            _usedAt = Clock.GetTimestamp();
            if (_isOver)
            {
                // The scope has more than it may have, so nothing of it may be taken again.
                _granted = Math.Min(_granted, _used);
                _isRefreshDue = true;
            }

            Report();
        }
    }

    /// <summary>Called once a second: returns what was spare for long, and reports again what has not been reported for long.</summary>
    /// <returns>True if nothing is left. This lease is then no longer in use.</returns>
    public bool Sweep()
    {
        lock (_gate)
        {
            if (_isReporting)
            {
                return false;
            }

            var isSpareOver = _granted > _used && Clock.GetElapsedTime(_usedAt) >= SpareTime;
            var isUnreported = _used > _granted || Clock.GetElapsedTime(_reportedAt) >= _refreshAfter;
            _isRefreshDue = (_used > 0 || _granted > 0) && (isSpareOver || isUnreported);
            Report();
            _isRetired = !_isReporting && _used == 0 && _granted == 0;
            return _isRetired;
        }
    }

    private void Use(int count)
    {
        _used += count;
        _isOver |= _used > _granted;
        _usedAt = Clock.GetTimestamp();
    }

    private void Report()
    {
        if (!_isReporting && IsReportDue)
        {
            _isReporting = true;
            _ = Task.Run(ReportAsync);
        }
    }

    private async Task ReportAsync()
    {
        while (BeginReport() is { } request)
        {
            EndReport(request, await permits.ReportAsync(scope, request).ConfigureAwait(false));
        }
    }

    /// <summary>The next report, or null if none is due.</summary>
    private LeaseRequest? BeginReport()
    {
        lock (_gate)
        {
            if (!IsReportDue)
            {
                _isReporting = false;
                return null;
            }

            // What is given back must not be taken meanwhile. Spare permits that are fresh are kept.
            var keepsNone = _isOver || Clock.GetElapsedTime(_usedAt) >= SpareTime;
            var kept = keepsNone ? _used : Math.Min(_granted, _used + MaxSpare);
            _asking = _waiting.Count;
            var wanted = Math.Max(_used + _asking, kept);
            _granted = Math.Min(_granted, wanted);
            _isRefreshDue = false;
            return new() { Kind = permits.Terms.Kind, Holder = permits.Terms.Holder, InUse = _used, Wanted = wanted, Version = permits.NextVersion() };
        }
    }

    private void EndReport(LeaseRequest request, LeaseReply? reply)
    {
        lock (_gate)
        {
            _reportedAt = Clock.GetTimestamp();
            _refreshAfter = ScopeQuotas.RefreshPeriod * (MinRefreshShare + (Random.Shared.NextDouble() / 2));
            _granted = reply?.Granted ?? _granted;
            _isOver &= reply is null || reply.Granted <= request.InUse;

            // Those that came while the report was under way were not in it, also if it asked for spare permits, and wait for the next one.
            for (; _asking > 0 && _waiting.TryDequeue(out var waiter); _asking--)
            {
                var isGranted = reply is null || _used < _granted;
                if (isGranted)
                {
                    Use(1);
                }

                waiter.TrySetResult(isGranted);
            }

            _isRefreshDue |= reply is not null && _used > _granted;
        }
    }
}
