using System.Net;
using OrleansSessions.Grains.Clustering;
using Xunit;

namespace OrleansSessions.Tests.Clustering;

public sealed class EvictionRuleTests
{
    private static readonly SiloAddress Self = SiloAddress.New(IPAddress.Loopback, 1, 100);
    private static readonly SiloAddress Other = SiloAddress.New(IPAddress.Loopback, 2, 100);
    private static readonly SiloAddress NextLife = SiloAddress.New(IPAddress.Loopback, 1, 101);

    private readonly EvictionRule _rule = new(Self);

    [Fact]
    public void TwoReadsWithoutTheRow_AreAnEviction()
    {
        Assert.False(_rule.Judge(Table()));
        Assert.True(_rule.Judge(Table()));
    }

    [Fact]
    public void ReadsThatHaveOnlyOthers_AreAnEviction()
    {
        Assert.False(_rule.Judge(Table((Other, SiloStatus.Active))));
        Assert.True(_rule.Judge(Table((NextLife, SiloStatus.Active))));
    }

    [Fact]
    public void AReadWithTheRow_StartsTheCountAgain()
    {
        Assert.False(_rule.Judge(Table()));
        Assert.False(_rule.Judge(Table((Self, SiloStatus.Active))));
        Assert.False(_rule.Judge(Table()));
        Assert.True(_rule.Judge(Table()));
    }

    [Fact]
    public void ARowThatSaysDead_IsAnEvictionAtOnce() => Assert.True(_rule.Judge(Table((Other, SiloStatus.Active), (Self, SiloStatus.Dead))));

    [Theory]
    [InlineData(SiloStatus.Joining)]
    [InlineData(SiloStatus.Active)]
    [InlineData(SiloStatus.ShuttingDown)]
    [InlineData(SiloStatus.Stopping)]
    public void ARowThatSaysAnythingElse_IsNone(SiloStatus status)
    {
        Assert.False(_rule.Judge(Table((Self, status))));
        Assert.False(_rule.Judge(Table((Self, status))));
    }

    /// <summary>The write that says that a silo is alive reads its row first, and can put it into the table that was created meanwhile.</summary>
    [Fact]
    public void ATableThatBeganAgain_IsAnEviction_AlsoIfItHasTheRow()
    {
        Assert.False(_rule.Judge(Table(5, (Self, SiloStatus.Active), (Other, SiloStatus.Active))));
        Assert.False(_rule.Judge(Table(0, (Self, SiloStatus.Active))));
        Assert.True(_rule.Judge(Table(0, (Self, SiloStatus.Active))));
        Assert.Contains("begun again: it has version 0, and had version 5", _rule.Describe(Table(0, (Self, SiloStatus.Active))), StringComparison.Ordinal);
    }

    /// <summary>A store that failed over can have lost its last writes. The silo's row is in it, so the cluster is the same.</summary>
    [Fact]
    public void ATableThatLostItsLastWrites_IsNone()
    {
        Assert.False(_rule.Judge(Table(5, (Self, SiloStatus.Active))));
        Assert.False(_rule.Judge(Table(7, (Self, SiloStatus.Active), (Other, SiloStatus.Active))));
        Assert.False(_rule.Judge(Table(6, (Self, SiloStatus.Active), (Other, SiloStatus.Joining))));
        Assert.False(_rule.Judge(Table(6, (Self, SiloStatus.Active), (Other, SiloStatus.Joining))));
    }

    private static MembershipTableData Table(params (SiloAddress Silo, SiloStatus Status)[] rows) => Table(1, rows);

    private static MembershipTableData Table(int version, params (SiloAddress Silo, SiloStatus Status)[] rows) => new(
        [.. rows.Select(row => Tuple.Create(new MembershipEntry { SiloAddress = row.Silo, Status = row.Status }, ""))], new TableVersion(version, ""));
}
