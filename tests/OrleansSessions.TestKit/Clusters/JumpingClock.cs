using Microsoft.Extensions.Time.Testing;

namespace OrleansSessions.TestKit.Clusters;

/// <summary>
/// A clock that goes on by itself and that a test can move forward. It must go on: the agents that read stream queues
/// keep their time with the grains' clock too, and a clock that stands still stops every stream.
/// </summary>
public sealed class JumpingClock : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SteppedTime _stepped;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    public JumpingClock()
    {
        _stepped = new SteppedTime(_time);
        _running = Task.Run(RunAsync);
    }

    public TimeProvider Time => _stepped;

    public DateTimeOffset Now => _stepped.GetUtcNow();

    /// <summary>Jumps forward; timers that are due by then fire.</summary>
    public void Advance(TimeSpan by) => _time.Advance(by);

    /// <summary>Sets the wall clock, as an operator or a time server does: no time passes, and no timer notices.</summary>
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
                _time.Advance(TimeProvider.System.GetElapsedTime(last, now));
                last = now;
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }
}
