using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Clustering;
using Xunit;

namespace OrleansSessions.Tests.Clustering;

/// <summary>When a drain begins and ends.</summary>
public sealed class DrainServiceTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ClusterEviction _eviction = new();
    private readonly Drain _drain = new();
    private readonly GatedStep _step = new();

    public void Dispose() => _drain.Dispose();

    [Fact]
    public async Task ADrain_LastsUntilNothingIsLeft()
    {
        var stopping = Stop();
        Assert.True(_drain.IsDraining);
        _clock.Advance(TimeSpan.FromSeconds(19.9));
        Assert.False(_drain.Ending.IsCancellationRequested);
        Assert.False(stopping.IsCompleted);

        _step.Done.SetResult();
        await stopping;
        Assert.True(_drain.Ending.IsCancellationRequested);
    }

    [Fact]
    public async Task ADrain_EndsWithItsTime_ButWaitsForWhatIsLeftToLeave()
    {
        var stopping = Stop();
        _clock.Advance(TimeSpan.FromSeconds(20));
        await _step.Ending;
        Assert.False(stopping.IsCompleted);
        _step.Done.SetResult();
        await stopping;
    }

    [Fact]
    public async Task ADrain_EndsAtOnce_WhenItIsTold_OrTheHostGivesUp()
    {
        using var host = new CancellationTokenSource();
        var stopping = Stop(host.Token);
        await host.CancelAsync();
        await _step.Ending;
        _step.Done.SetResult();
        await stopping;
    }

    [Fact]
    public async Task AnEvictedProcess_WaitsForNoAnswer()
    {
        await _eviction.EvictAsync();
        var stopping = Stop();
        await _step.Ending;
        _step.Done.SetResult();
        await stopping;
    }

    private Task Stop(CancellationToken host = default) =>
        new DrainService(_drain, [_step], Options.Create(new DrainOptions()), _eviction, _clock, NullLogger<DrainService>.Instance).StoppingAsync(host);

    private sealed class GatedStep : IDrainStep
    {
        private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ending => _ending.Task.WaitAsync(TimeSpan.FromSeconds(10));

        public Task DrainAsync(CancellationToken ending)
        {
            ending.Register(() => _ending.TrySetResult());
            return Done.Task;
        }
    }
}
