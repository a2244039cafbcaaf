using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Clustering;
using OrleansSessions.Stores;
using Xunit;

namespace OrleansSessions.Tests.Clustering;

/// <summary>When a silo may answer for its sessions.</summary>
public sealed class SiloStandingTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ClusterEviction _eviction = new();
    private readonly StoreHealth _health;
    private readonly SiloStanding _standing;

    public SiloStandingTests()
    {
        _health = new(_clock, NullLogger<StoreHealth>.Instance);
        _standing = new(_eviction, _health, _clock);
    }

    public void Dispose() => _eviction.Dispose();

    [Fact]
    public void ASiloThatWasSeenAMomentAgo_AnswersAtOnce()
    {
        Assert.True(_standing.CheckAsync().AsTask().IsCompletedSuccessfully);
        _standing.Confirm(_clock.GetTimestamp());
        _clock.Advance(SiloStanding.Limit - TimeSpan.FromMilliseconds(1));
        Assert.True(_standing.CheckAsync().AsTask().IsCompletedSuccessfully);
        Assert.False(_standing.Wanted.IsCompleted);
    }

    [Fact]
    public async Task ASiloThatHung_WaitsForALookAtTheTable_AndThenAnswers()
    {
        _standing.Confirm(_clock.GetTimestamp());
        _clock.Advance(SiloStanding.Limit);
        var checks = new[] { _standing.CheckAsync().AsTask(), _standing.CheckAsync().AsTask() };
        Assert.True(_standing.Wanted.IsCompleted);
        Assert.All(checks, check => Assert.False(check.IsCompleted));

        _standing.Confirm(_clock.GetTimestamp());
        await Task.WhenAll(checks).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(_standing.Wanted.IsCompleted);
    }

    [Fact]
    public async Task ASiloThatHung_AndIsDead_AnswersNothing()
    {
        _standing.Confirm(_clock.GetTimestamp());
        _clock.Advance(SiloStanding.Limit);
        var check = _standing.CheckAsync().AsTask();
        await _eviction.EvictAsync();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => check.WaitAsync(TimeSpan.FromSeconds(10)));
        await Assert.ThrowsAsync<SiloUnavailableException>(async () => await _standing.CheckAsync());
    }

    [Fact]
    public async Task AnOutageThatBeganJustNow_CanBeThePauseOfThisProcess_ButALongerOneIsOne()
    {
        _standing.Confirm(_clock.GetTimestamp());
        _clock.Advance(SiloStanding.Limit);
        _health.TryLeave(new TimeoutException());
        var check = _standing.CheckAsync().AsTask();
        Assert.False(check.IsCompleted);

        _clock.Advance(TimeSpan.FromSeconds(1));
        await check.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(_standing.CheckAsync().AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task ATableThatDoesNotAnswer_SaysNothing()
    {
        _standing.Confirm(_clock.GetTimestamp());
        _clock.Advance(SiloStanding.Limit);
        var check = _standing.CheckAsync().AsTask();
        _clock.Advance(TimeSpan.FromSeconds(2));
        await check.WaitAsync(TimeSpan.FromSeconds(10));
    }
}
