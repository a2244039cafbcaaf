using OrleansSessions.SocketGateway.Following;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class FollowerRegistryTests
{
    private readonly FollowerRegistry _registry = new();

    [Fact]
    public void Sessions_AreEnumeratedWithoutACopy()
    {
        var socket = Stub.Of<IFollower>((_, _) => null);
        for (var i = 0; i < 2_000; i++)
        {
            _registry.Add($"/{i}", socket, 0);
        }

        Assert.Equal(2_000, CountAll());
        var before = GC.GetAllocatedBytesForCurrentThread();
        CountAll();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_024);
    }

    [Fact]
    public void Sessions_MayComeAndGo_WhileTheyAreEnumerated()
    {
        var socket = Stub.Of<IFollower>((_, _) => null);
        _registry.Add("/a", socket, 0);
        _registry.Add("/b", socket, 0);
        foreach (var session in _registry.Sessions)
        {
            _registry.Add("/c", socket, 0);
            _registry.Remove(session.SessionKey, socket);
        }

        Assert.False(_registry.TryFind("/a", out _));
        Assert.False(_registry.TryFind("/b", out _));
    }

    private int CountAll()
    {
        var count = 0;
        foreach (var session in _registry.Sessions)
        {
            count += session.All.Length;
        }

        return count;
    }
}
