using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Scopes;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

public sealed class ScopePermitsTests
{
    private const int Limit = 32;
    private const string Scope = "s.alice";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly FakeQuotas _quotas;

    public ScopePermitsTests() => _quotas = new(Limit, _time);

    [Fact]
    public async Task Take_UpToTheLimit_IsAllowed_AndTheNextIsRefused()
    {
        await using var permits = Create("a");
        for (var i = 0; i < Limit; i++)
        {
            Assert.True(await permits.TryTakeAsync(Scope));
        }

        Assert.False(await permits.TryTakeAsync(Scope));
        Assert.True(await permits.TryTakeAsync("s.bob"));
        permits.Release(Scope);
        Assert.True(await permits.TryTakeAsync(Scope));
    }

    [Fact]
    public async Task TheAnonymousScope_AndNoLimit_CostNoCall()
    {
        await using var permits = Create("a");
        await using var unlimited = new ScopePermits(new(LeaseKind.Sockets, "b", 0), _quotas.Connect(), _time);
        for (var i = 0; i < 10 * Limit; i++)
        {
            Assert.True(await permits.TryTakeAsync(""));
            Assert.True(await unlimited.TryTakeAsync(Scope));
        }

        permits.Take("", 3);
        permits.Release("");
        Assert.Equal((0, 0, 0), (_quotas.Calls, permits.Count, unlimited.Count));
    }

    /// <summary>Such a report asks for more than is in use, so what it gets must not be taken for the answer to those who came later.</summary>
    [Fact]
    public async Task Take_WhileAReportReturnsSpareOnes_WaitsForItsOwn_AndIsAllowed()
    {
        await using var permits = Create("a");
        for (var i = 0; i < 4; i++)
        {
            Assert.True(await permits.TryTakeAsync(Scope));
        }

        var reports = _quotas.Calls;
        _quotas.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        permits.Release(Scope, 3);
        await Eventually.TrueAsync(() => _quotas.Calls > reports, "three permits are spare, of which one is returned");
        Task<bool>[] takes = [.. Enumerable.Range(0, 4).Select(_ => permits.TryTakeAsync(Scope).AsTask())];
        Assert.Equal(2, takes.Count(take => take.IsCompleted));

        _quotas.Gate.SetResult();
        Assert.All(await Task.WhenAll(takes).WaitAsync(Patience, TimeProvider.System), Assert.True);
    }

    [Fact]
    public async Task TakeAfterARelease_CostsNoCall()
    {
        await using var permits = Create("a");
        await permits.TryTakeAsync(Scope);
        for (var i = 0; i < 100; i++)
        {
            permits.Release(Scope);
            Assert.True(await permits.TryTakeAsync(Scope));
        }

        Assert.Equal(1, _quotas.Calls);
    }

    [Fact]
    public async Task SparePermits_AreReturned_AfterTheirTime_AndTheScopeIsForgotten()
    {
        await using var permits = Create("a");
        await permits.TryTakeAsync(Scope);
        permits.Release(Scope);
        Assert.Equal(1, _quotas.Leased(Scope));

        await AdvanceUntilAsync(ScopeLease.SpareTime, () => _quotas.Leased(Scope) == 0, "the spare permit is returned");
        await AdvanceUntilAsync(TimeSpan.Zero, () => permits.Count == 0, "the scope is forgotten");
    }

    [Fact]
    public async Task MoreThanAFewSparePermits_AreReturnedAtOnce()
    {
        await using var permits = Create("a");
        for (var i = 0; i < Limit; i++)
        {
            await permits.TryTakeAsync(Scope);
        }

        permits.Release(Scope, Limit);

        await Eventually.TrueAsync(() => _quotas.Leased(Scope) == Limit / 16, "only a sixteenth of the limit is kept");
        await using var other = Create("b");
        Assert.True(await other.TryTakeAsync(Scope));
    }

    [Fact]
    public async Task ManyProcesses_TogetherStayWithinTheLimit()
    {
        var processes = Enumerable.Range(0, 4).Select(i => Create($"p{i}")).ToList();
        var taken = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => Task.Run(async () => await processes[i % 4].TryTakeAsync(Scope))));

        Assert.Equal(Limit, taken.Count(isTaken => isTaken));
        await DisposeAllAsync(processes);
    }

    [Fact]
    public async Task TakesAndReleasesFromEverywhere_NeverExceedTheLimit_AndLeaveNothing()
    {
        var processes = Enumerable.Range(0, 3).Select(i => Create($"p{i}")).ToList();
        var (inUse, most, allowed) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(async () =>
        {
            var permits = processes[i % 3];
            for (var round = 0; round < 50; round++)
            {
                if (await permits.TryTakeAsync(Scope))
                {
                    Interlocked.Increment(ref allowed);
                    var now = Interlocked.Increment(ref inUse);
                    InterlockedMax(ref most, now);
                    await Task.Yield();
                    Interlocked.Decrement(ref inUse);
                    permits.Release(Scope);
                }
            }
        })));

        Assert.InRange(most, 1, Limit);
        Assert.True(allowed > Limit);
        await AdvanceUntilAsync(ScopeLease.SpareTime, () => _quotas.Leased(Scope) == 0, "everything is returned");
        await DisposeAllAsync(processes);
    }

    [Fact]
    public async Task WhatExistsAlready_IsTakenAboveTheLimit_AndCounts()
    {
        await using var permits = Create("a");
        await using var other = Create("b");
        permits.Take(Scope, Limit + 5);

        await Eventually.TrueAsync(() => _quotas.Leased(Scope) == Limit + 5, "it is reported");
        Assert.False(await other.TryTakeAsync(Scope));
        permits.Release(Scope, 5);
        Assert.False(await permits.TryTakeAsync(Scope));
    }

    [Fact]
    public async Task NewActivationOfTheQuota_LearnsOfEveryHolderWithinTheRefreshPeriod()
    {
        await using var permits = Create("a");
        await using var other = Create("b");
        for (var i = 0; i < Limit; i++)
        {
            await permits.TryTakeAsync(Scope);
        }

        _quotas.Lose(Scope);

        // This is the error after such a loss: until the holder reports again, the others can have as much once more.
        Assert.True(await other.TryTakeAsync(Scope));
        await AdvanceUntilAsync(1.25 * ScopeQuotas.RefreshPeriod, () => _quotas.Leased(Scope) == Limit + 1, "the holder has reported again");
        Assert.False(await other.TryTakeAsync(Scope));
    }

    [Fact]
    public async Task HolderThatDies_LeavesItsPermitsToTheOthers()
    {
        var dead = Create("dead");
        await using var permits = Create("a");
        for (var i = 0; i < Limit; i++)
        {
            await dead.TryTakeAsync(Scope);
        }

        await dead.DisposeAsync();
        Assert.False(await permits.TryTakeAsync(Scope));
        _quotas.Gone.Add("dead");

        Assert.True(await permits.TryTakeAsync(Scope));
    }

    [Fact]
    public async Task QuotaThatCannotBeAsked_LimitsNoOne_IsLoggedOnce_AndIsToldAllOfItLater()
    {
        await using var permits = Create("a");
        _quotas.IsDown = true;
        for (var i = 0; i < Limit + 3; i++)
        {
            Assert.True(await permits.TryTakeAsync(Scope));
        }

        // After the first failure, no call is made for a while, so an outage delays few.
        Assert.Equal(1, _quotas.Calls);
        Assert.Equal(LogLevel.Warning, Assert.Single(_quotas.Log.Lines).Level);

        _quotas.IsDown = false;
        await AdvanceUntilAsync(PatientCalls.Pause, () => _quotas.Leased(Scope) == Limit + 3, "everything in use is reported");
        Assert.False(await permits.TryTakeAsync(Scope));
        Assert.Equal([LogLevel.Warning, LogLevel.Information], _quotas.Log.Lines.Select(line => line.Level));
    }

    [Fact]
    public async Task QuotaThatDoesNotAnswer_DelaysATake_NoLongerThanItsPatience()
    {
        await using var permits = Create("a");
        _quotas.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var taking = permits.TryTakeAsync(Scope).AsTask();
        await Eventually.TrueAsync(() => _quotas.Calls == 1, "the quota is asked");
        Assert.False(taking.IsCompleted);

        await AdvanceUntilAsync(PatientCalls.Patience, () => taking.IsCompleted, "the take goes on without a reply");

        Assert.True(await taking);
        _quotas.Gate.SetResult();
    }

    [Fact]
    public async Task TakesDuringAReport_ShareTheNextOne()
    {
        await using var permits = Create("a");
        var gate = _quotas.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var takes = new List<Task<bool>> { permits.TryTakeAsync(Scope).AsTask() };
        await Eventually.TrueAsync(() => _quotas.Calls == 1, "the first is reported");
        takes.AddRange(Enumerable.Range(0, Limit + 4).Select(_ => permits.TryTakeAsync(Scope).AsTask()));
        _quotas.Gate = null;
        gate.SetResult();

        var taken = await Task.WhenAll(takes).WaitAsync(Patience);

        Assert.Equal(Limit, taken.Count(isTaken => isTaken));
        Assert.Equal(2, _quotas.Calls);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
        {
            if (Interlocked.CompareExchange(ref target, value, seen) == seen)
            {
                return;
            }
        }
    }

    private static async Task DisposeAllAsync(List<ScopePermits> processes)
    {
        foreach (var permits in processes)
        {
            await permits.DisposeAsync();
        }
    }

    private ScopePermits Create(string holder) => new(new(LeaseKind.Sockets, holder, Limit), _quotas.Connect(), _time);

    /// <summary>Moves the clock on by this time, and then second by second, because each report must be over before the next sweep can follow it.</summary>
    private async Task AdvanceUntilAsync(TimeSpan by, Func<bool> condition, string expectation)
    {
        _time.Advance(by);
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return condition();
            },
            expectation);
    }
}
