using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Clustering;

/// <summary>Sessions in a silo's memory are for one silo; in a store they are for many.</summary>
public sealed class SecondSiloTests
{
    [Fact]
    public async Task ASecondSiloWithoutAStore_RefusesToStart_AndSaysWhatToDo()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var first = cluster.Orleans.Silos.Single().SiloAddress;

        var fault = await Assert.ThrowsAnyAsync<Exception>(() => cluster.Orleans.StartAdditionalSiloAsync());

        var reason = fault.GetBaseException().Message;
        Assert.Contains("Sessions:Persistence is Auto", reason);
        Assert.Contains(first.ToString(), reason);
        Assert.Contains("grain storage named 'sessions'", reason);
        Assert.Equal(AskOutcome.Accepted, (await cluster.Session("s").AskAsync("q", "go")).Outcome);
    }

    [Fact]
    public async Task ASecondSiloWithAStore_Joins()
    {
        await using var cluster = await SessionCluster.StartAsync(isStored: true);

        await cluster.Orleans.StartAdditionalSiloAsync();

        Assert.Equal(2, cluster.Orleans.Silos.Count);
    }
}
