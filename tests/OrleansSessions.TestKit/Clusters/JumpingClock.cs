using Microsoft.Extensions.Time.Testing;

namespace OrleansSessions.TestKit.Clusters;

/// <summary>
/// A clock that runs by itself and that a test can move forward. It must run, because the agents that read stream queues
/// also use the grains' clock: if the clock stood still, every stream would stop.
/// </summary>
public sealed class JumpingClock : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SteppedTime _stepped;
    private readonly CancellationTokenSource _stopping = new();
    private readonly double _speed;
    private readonly Task _running;

    /// <param name="speed">How many times as fast as real time it runs by itself.</param>
    public JumpingClock(double speed = 1)
    {
        _speed = speed;
        _stepped = new SteppedTime(_time);
        _running = Task.Run(RunAsync);
    }

    public TimeProvider Time => _stepped;

    public DateTimeOffset Now => _stepped.GetUtcNow();

    /// <summary>Jumps forward. Timers that are due by then fire.</summary>
    public void Advance(TimeSpan by) => _time.Advance(by);

    /// <summary>Sets the wall clock, like an operator or a time server. No time passes, and no timer notices.</summary>
    public void Step(TimeSpan by) => _stepped.Step(by);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Period);
        var last = TimeProvider.System.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                var now = TimeProvider.System.GetTimestamp();
                _time.Advance(TimeProvider.System.GetElapsedTime(last, now) * _speed);
                last = now;
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }
}
