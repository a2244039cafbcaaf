using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Stores;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Stores;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>A question is refused because the store gave no reply, but it has arrived there.</summary>
public sealed class RefusedQuestionTests : IAsyncLifetime
{
    private StoredCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await StoredCluster.StartAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task TheFirstQuestionOfASessionThatNobodyFollows_IsTakenBack_HoweverLongTheOutageLasts()
    {
        // 1. All that is written arrives, and nothing is confirmed.
        _cluster.Store.After = operation => operation.Kind == StoreOperationKind.Write
            ? Task.FromException(new IOException("The reply is lost."))
            : Task.CompletedTask;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _cluster.Session("s").AskAsync("a", "why"));
        Assert.Contains("record", _cluster.Rows.Of(StoredCluster.Key("s")).Keys);

        // 2. A session that was never asked leaves after a second, and any other after the collection age. This one stays.
        for (var i = 0; i < 60; i++)
        {
            _cluster.Cluster.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var silo = Assert.Single(_cluster.Cluster.Orleans.Silos);
        Assert.Single(_cluster.Cluster.Orleans.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<LocalSessions>().All);

        // 3. The store is back.
        _cluster.Store.After = null;
        await Eventually.TrueAsync(
            () =>
            {
                _cluster.Cluster.Clock.Advance(TimeSpan.FromSeconds(1));
                return _cluster.Rows.Of(StoredCluster.Key("s")).Count == 0;
            },
            "the question is taken back");
        await _cluster.SleepAsync("s");
        Assert.Null(await _cluster.Session("s").GetQuestionAsync("a"));
        Assert.Equal(0, _cluster.Cluster.Responder.For("why").Runs);
    }
}
