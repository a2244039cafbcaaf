using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Scopes;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

public sealed class ScopeLeasesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly HashSet<string> _gone = [];
    private readonly ScopeLeases _leases;
    private long _version;

    public ScopeLeasesTests() => _leases = new(10, _time, _gone.Contains);

    [Fact]
    public void Lease_UpToTheLimit_IsGranted_AndNothingAboveIt()
    {
        Assert.Equal(6, Lease("a", wanted: 6));
        Assert.Equal(4, Lease("b", wanted: 4));
        Assert.Equal(6, Lease("a", inUse: 6, wanted: 7));
        Assert.Equal(0, Lease("c", wanted: 1));
        Assert.Equal(10, _leases.Total);
    }

    [Fact]
    public void Lease_IsGrantedInPart()
    {
        Lease("a", wanted: 7);

        Assert.Equal(3, Lease("b", wanted: 5));
    }

    [Fact]
    public void Lease_ThatIsGivenBack_IsThereForOthers()
    {
        Lease("a", wanted: 10);

        Assert.Equal(4, Lease("a", inUse: 4, wanted: 4));
        Assert.Equal(6, Lease("b", wanted: 10));
    }

    [Fact]
    public void WhatIsInUse_CountsAlsoAboveTheLimit_AndHoldsUpTheOthers()
    {
        Lease("a", wanted: 10);

        Assert.Equal(3, Lease("b", inUse: 3, wanted: 4));
        Assert.Equal(13, _leases.Total);
        Assert.Equal(0, Lease("c", wanted: 1));
    }

    [Fact]
    public void HolderThatIsGone_DoesNotCount()
    {
        Lease("a", wanted: 10);
        _gone.Add("a");

        Assert.Equal(10, Lease("b", wanted: 10));
    }

    [Fact]
    public void LeaseThatIsNotReportedForLong_Ends_AndOneThatIs_DoesNot()
    {
        Lease("a", wanted: 4);
        Lease("b", wanted: 6);
        _time.Advance(ScopeQuotas.Lease / 2);
        Lease("a", inUse: 4, wanted: 4);
        _time.Advance(ScopeQuotas.Lease / 2);

        Assert.Equal(4, _leases.Total);
    }

    [Fact]
    public void LateReport_ChangesNothing()
    {
        var late = ++_version;
        Lease("a", wanted: 2);

        Assert.Equal(2, _leases.Lease(new() { Holder = "a", InUse = 9, Wanted = 9, Version = late }));
        Assert.Equal(2, _leases.Total);
    }

    [Fact]
    public void LateReport_AfterAllWasGivenBack_ChangesNothing()
    {
        var late = ++_version;
        Lease("a", wanted: 0);

        Assert.Equal(0, _leases.Lease(new() { Holder = "a", InUse = 9, Wanted = 9, Version = late }));
    }

    [Fact]
    public void WithoutALimit_EverythingIsGranted() =>
        Assert.Equal(5_000, new ScopeLeases(0, _time, _gone.Contains).Lease(new() { Holder = "a", Wanted = 5_000, Version = 1 }));

    private int Lease(string holder, int wanted, int inUse = 0) =>
        _leases.Lease(new() { Holder = holder, InUse = inUse, Wanted = wanted, Version = ++_version });
}
