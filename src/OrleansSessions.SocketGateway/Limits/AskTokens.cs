using OrleansSessions.Scopes;

namespace OrleansSessions.SocketGateway.Limits;

/// <summary>The tokens of this process for the questions of one scope. One call for more is under way at a time. Thread-safe.</summary>
/// <param name="maxBatch">The maximum number of tokens that one call takes.</param>
internal sealed class AskTokens(string scope, int maxBatch, ScopeQuotaCalls calls, TimeProvider clock)
{
    /// <summary>How long a token is valid. Longer, and a scope could save tokens up here beyond its limit.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long _takenAt = clock.GetTimestamp();
    private long _refusedAt;
    private TimeSpan _refusedFor;
    private int _tokens;
    private int _batch;
    private Task? _call;
    private bool _isRetired;

    /// <summary>Takes a token.</summary>
    /// <returns>Whether these tokens are still in use; if so, null, or how long to wait for a token.</returns>
    public async ValueTask<(bool IsCounted, TimeSpan? Wait)> TakeAsync()
    {
        while (true)
        {
            Task call;
            lock (_gate)
            {
                if (_isRetired)
                {
                    return (false, null);
                }

                if (_tokens > 0 && clock.GetElapsedTime(_takenAt) < Lifetime)
                {
                    _tokens--;
                    return (true, null);
                }

                if (_refusedFor - clock.GetElapsedTime(_refusedAt) is var left && left > TimeSpan.Zero)
                {
                    return (true, left);
                }

                call = _call ??= Task.Run(CallAsync);
            }

            await call.ConfigureAwait(false);
        }
    }

    /// <summary>True if no question was asked for long. These tokens are then no longer in use.</summary>
    public bool TryRetire()
    {
        lock (_gate)
        {
            var isOver = _refusedFor <= clock.GetElapsedTime(_refusedAt) && clock.GetElapsedTime(_takenAt) >= Lifetime;
            return _isRetired = _isRetired || (_call is null && isOver);
        }
    }

    private async Task CallAsync()
    {
        int wanted;
        lock (_gate)
        {
            // Tokens that expire unused are lost to the scope, so a batch is small until the last one was used up in time.
            var isUsedUp = _tokens == 0 && clock.GetElapsedTime(_takenAt) < Lifetime;
            wanted = _batch = isUsedUp ? Math.Clamp(_batch * 2, 1, maxBatch) : 1;
        }

        var reply = await calls.TryAsync(scope, quota => quota.TakeAsksAsync(new() { Wanted = wanted })).ConfigureAwait(false);
        lock (_gate)
        {
            // Without a reply a question is let through: a quota that cannot be asked limits no one.
            _tokens = reply?.Granted ?? 1;
            _takenAt = clock.GetTimestamp();
            (_refusedAt, _refusedFor) = (_takenAt, reply is { Granted: 0 } ? reply.RetryAfter : TimeSpan.Zero);
            _call = null;
        }
    }
}
