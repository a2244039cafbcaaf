using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

/// <summary>What the grains of a scope keep in memory, and when they let go of it.</summary>
public sealed class ScopeGrainLifeTests : IAsyncLifetime
{
    private const string Scope = "s.alice";

    private SessionCluster _cluster = null!;

    private IScopeQuotaGrain Quota => _cluster.Orleans.Client.GetGrain<IScopeQuotaGrain>(Scope);

    private IScopeIndexGrain Index => _cluster.Orleans.Client.GetGrain<IScopeIndexGrain>(Scope);

    public async ValueTask InitializeAsync() => _cluster = await SessionCluster.StartAsync(configureSilo: silo => silo.Services.Configure<ScopeLimitsOptions>(
        limits => (limits.MaxSocketsPerScope, limits.MaxAsksPerMinutePerScope) = (3, 60)));

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Quota_ThatHasLeases_OutlivesACollection_AndCountsOnlyHoldersThatAreThere()
    {
        Assert.Equal(3, await LeaseAsync("gw-1", wanted: 3, version: 1));
        await _cluster.HibernateAsync();

        Assert.Equal(0, await LeaseAsync("gw-2", wanted: 1, version: 1));
        Assert.Equal(2, await LeaseAsync("gw-1", wanted: 2, version: 2));
        Assert.Equal(1, await LeaseAsync("gw-2", wanted: 1, version: 2));
    }

    [Fact]
    public async Task Quota_WhoseLeasesAreReturned_IsCollected()
    {
        Assert.Equal(3, await LeaseAsync("gw-1", wanted: 3, version: 1));
        Assert.Equal(0, await LeaseAsync("gw-1", wanted: 0, version: 2));

        await EventuallyCollectedAsync("orleanssessions.scopequota/");
    }

    [Fact]
    public async Task Quota_WhoseBucketIsNotFull_OutlivesACollection()
    {
        Assert.Equal(60, (await Quota.TakeAsksAsync(new() { Wanted = 60 })).Granted);
        await LeaseAsync("gw-1", wanted: 1, version: 1);
        await LeaseAsync("gw-1", wanted: 0, version: 2);
        await _cluster.HibernateAsync();

        Assert.InRange((await Quota.TakeAsksAsync(new() { Wanted = 60 })).Granted, 0, 30);
    }

    [Fact]
    public async Task Asks_AreRefilledWithTime()
    {
        Assert.Equal(60, (await Quota.TakeAsksAsync(new() { Wanted = 100 })).Granted);
        var empty = await Quota.TakeAsksAsync(new() { Wanted = 1 });
        if (empty.Granted == 0)
        {
            Assert.InRange(empty.RetryAfter, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1));
        }

        _cluster.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.InRange((await Quota.TakeAsksAsync(new() { Wanted = 100 })).Granted, 29, 40);
    }

    [Fact]
    public async Task Index_WithoutAStore_OutlivesACollection_AsLongAsItHasEntries()
    {
        await Index.AddAsync(new() { Session = ListedSession.Of("one", "why", _cluster.Clock.Now) });
        await _cluster.HibernateAsync();
        Assert.Single((await Index.ListAsync(new() { Limit = 10 })).Sessions);
        Assert.Equal(1, await ActivationsAsync("orleanssessions.scopeindex/"));

        await Index.RemoveAsync(new() { SessionIds = ["one"] });
        await Index.EraseAsync(new());
        await EventuallyCollectedAsync("orleanssessions.scopeindex/");
    }

    [Fact]
    public async Task Index_WithoutAStore_IsCollected_WhenItsSessionsAreForgotten()
    {
        var retention = new SessionsOptions().Retention;
        await Index.AddAsync(new() { Session = ListedSession.Of("old", "why", _cluster.Clock.Now) });
        _cluster.Clock.Advance(retention + TimeSpan.FromMinutes(1));
        await Index.AddAsync(new() { Session = ListedSession.Of("new", "why", _cluster.Clock.Now) });
        Assert.Equal("new", Assert.Single((await Index.ListAsync(new() { Limit = 10 })).Sessions).SessionId);

        // A late report comes when all sessions are forgotten. Only then, because collections follow the machine's clock, which cannot be moved.
        _cluster.Clock.Advance(retention + TimeSpan.FromMinutes(1));
        await Index.TouchAsync(new() { Sessions = [ListedSession.Of("late", "why", _cluster.Clock.Now - retention - TimeSpan.FromMinutes(1))] });

        await EventuallyCollectedAsync("orleanssessions.scopeindex/");
    }

    [Fact]
    public async Task Index_WithAnEntryThatCameAfterTheLastList_IsNotErased()
    {
        Assert.Empty((await Index.ListAsync(new() { Limit = 10 })).Sessions);
        await Index.AddAsync(new() { Session = ListedSession.Of("one", "why", _cluster.Clock.Now) });
        await Index.EraseAsync(new());

        Assert.Single((await Index.ListAsync(new() { Limit = 10 })).Sessions);
    }

    private async Task<int> LeaseAsync(string gateway, int wanted, long version) =>
        (await Quota.LeaseAsync(new() { Kind = LeaseKind.Sockets, Holder = gateway, Wanted = wanted, Version = version })).Granted;

    private Task EventuallyCollectedAsync(string type) => Eventually.TrueAsync(
        async () =>
        {
            await _cluster.HibernateAsync();
            return await ActivationsAsync(type) == 0;
        },
        $"no grain {type} is active");

    private async Task<int> ActivationsAsync(string type) => (await _cluster.Orleans.Client.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics())
        .Count(grain => grain.GrainId.ToString().StartsWith(type, StringComparison.Ordinal));
}
