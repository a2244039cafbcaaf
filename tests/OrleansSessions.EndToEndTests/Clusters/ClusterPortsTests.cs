using System.Net;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>Where the ports for other silos and for socket gateways listen. Whoever reaches them controls the cluster.</summary>
public sealed class ClusterPortsTests
{
    [Theory]
    [InlineData("127.0.0.2", "", "127.0.0.2")]
    [InlineData("203.0.113.7", "127.0.0.3", "127.0.0.3")]
    [InlineData("127.0.0.2", "0.0.0.0", "0.0.0.0")]
    public async Task ClusterPorts_ListenOnOneAddressOnly_AndTheNodeAnswers(string advertised, string listen, string expected)
    {
        SkipElsewhere();
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.Garnet);
        var node = await nodes.AddAsync(
            $"Cluster:AdvertisedAddress={advertised}", $"Cluster:ListenAddress={listen}", "Responder:Name=echo", "Responder:Echo:Delay=00:00:00");

        Assert.Equal([IPAddress.Parse(expected), IPAddress.Parse(expected)], ClusterAddresses(node));
        var asked = await node.Http.AskAsync(Names.Session(), """{"question":"hello"}""", ("Prefer", "wait=20"));
        Assert.Equal("hello", asked.Body.GetProperty("text").GetString());
    }

    [Fact]
    public async Task ClusterPorts_OfAServerThatIsItsOwnCluster_ListenOnLoopback()
    {
        SkipElsewhere();
        await using var node = await ServerProcess.StartAsync();

        Assert.Equal([IPAddress.Loopback, IPAddress.Loopback], ClusterAddresses(node));
    }

    private static void SkipElsewhere() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux lists the sockets of a process in /proc.");

    /// <summary>The addresses of all ports but the one for HTTP.</summary>
    private static IEnumerable<IPAddress> ClusterAddresses(ServerProcess node) => ListeningSockets.Of(node.ProcessId)
        .Where(socket => socket.Port != node.Address.Port).Select(socket => socket.Address);
}
