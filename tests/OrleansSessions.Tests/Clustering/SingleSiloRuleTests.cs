using System.Net;
using Orleans.Configuration;
using OrleansSessions.Grains.Clustering;
using Xunit;

namespace OrleansSessions.Tests.Clustering;

public sealed class SingleSiloRuleTests
{
    private static readonly DateTime Now = new(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly SiloAddress Self = Silo(1, 100);
    private static readonly SiloAddress Older = Silo(2, 99);
    private static readonly SiloAddress Younger = Silo(3, 101);

    private readonly ClusterMembershipOptions _options = new() { IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5), NumMissedTableIAmAliveLimit = 3 };

    [Fact]
    public void FindOther_FindsAnActiveSilo_OfAnyAge() => Assert.Equal(Younger, SingleSiloRule.FindOther(Self, Table(Row(Self), Row(Younger)), _options, Now));

    [Theory]
    [InlineData(SiloStatus.Dead)]
    [InlineData(SiloStatus.ShuttingDown)]
    [InlineData(SiloStatus.Joining)]
    public void FindOther_SkipsASiloThatIsNotActive(SiloStatus status) =>
        Assert.Null(SingleSiloRule.FindOther(Self, Table(Row(Self), Row(Older, status)), _options, Now));

    [Theory]
    [InlineData(15, true)]
    [InlineData(16, false)]
    public void FindOther_SkipsASiloThatHasNotRenewedItsRowForTooLong(int secondsAgo, bool isFound) =>
        Assert.Equal(
            isFound ? Older : null,
            SingleSiloRule.FindOther(Self, Table(Row(Self), Row(Older, seenAt: Now - TimeSpan.FromSeconds(secondsAgo))), _options, Now));

    [Fact]
    public void FindElder_OfSilosThatStartTogether_FindsOneForAllButTheFirst()
    {
        var table = Table(Row(Younger), Row(Self), Row(Older));

        Assert.Null(SingleSiloRule.FindElder(Older, table, _options, Now));
        Assert.Equal(Older, SingleSiloRule.FindElder(Self, table, _options, Now));
        Assert.NotNull(SingleSiloRule.FindElder(Younger, table, _options, Now));
    }

    [Fact]
    public void FindElder_OfSilosOfOneMoment_FindsOneForExactlyOneOfThem()
    {
        var (one, other) = (Silo(1, 100), Silo(2, 100));
        var table = Table(Row(one), Row(other));

        Assert.Single(new[] { one, other }, silo => SingleSiloRule.FindElder(silo, table, _options, Now) is null);
    }

    private static SiloAddress Silo(int port, int generation) => SiloAddress.New(IPAddress.Loopback, port, generation);

    private static MembershipEntry Row(SiloAddress silo, SiloStatus status = SiloStatus.Active, DateTime? seenAt = null) =>
        new() { SiloAddress = silo, Status = status, StartTime = Now - TimeSpan.FromHours(1), IAmAliveTime = seenAt ?? Now };

    private static MembershipTableData Table(params MembershipEntry[] rows) =>
        new([.. rows.Select(row => Tuple.Create(row, ""))], new TableVersion(1, ""));
}
