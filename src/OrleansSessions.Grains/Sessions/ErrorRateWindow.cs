namespace OrleansSessions.Grains.Sessions;

/// <summary>The part of failures among what was counted in the last 60 seconds, in slots of one second. Thread-safe.</summary>
internal sealed class ErrorRateWindow(TimeProvider time)
{
    private const int Slots = 60;

    private readonly Lock _gate = new();
    private readonly long _startedAt = time.GetTimestamp();
    private readonly (long Second, int All, int Failed)[] _slots = new (long, int, int)[Slots];

    public void Count(bool isFailure)
    {
        var second = Second();
        lock (_gate)
        {
            ref var slot = ref _slots[second % Slots];
            if (slot.Second != second)
            {
                slot = (second, 0, 0);
            }

            slot.All++;
            slot.Failed += isFailure ? 1 : 0;
        }
    }

    /// <summary>0 to 1; 0 where nothing was counted.</summary>
    public double Read()
    {
        var oldest = Second() - Slots;
        lock (_gate)
        {
            var (all, failed) = (0, 0);
            foreach (var slot in _slots)
            {
                if (slot.Second > oldest)
                {
                    all += slot.All;
                    failed += slot.Failed;
                }
            }

            return all == 0 ? 0 : (double)failed / all;
        }
    }

    /// <summary>Seconds since the start, by a clock that is never set.</summary>
    private long Second() => (long)time.GetElapsedTime(_startedAt).TotalSeconds;
}
