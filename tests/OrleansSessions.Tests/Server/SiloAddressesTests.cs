using System.Net;
using OrleansSessions.Server.Clustering;
using Xunit;

namespace OrleansSessions.Tests.Server;

public sealed class SiloAddressesTests
{
    [Theory]
    [InlineData(ClusterProvider.Localhost, "", "", "127.0.0.1", "127.0.0.1")]
    [InlineData(ClusterProvider.Redis, "10.0.0.5", "", "10.0.0.5", "10.0.0.5")]
    [InlineData(ClusterProvider.Redis, "fd00::5", "", "fd00::5", "fd00::5")]
    [InlineData(ClusterProvider.Redis, "10.0.0.5", "172.17.0.2", "10.0.0.5", "172.17.0.2")]
    [InlineData(ClusterProvider.Redis, "10.0.0.5", "0.0.0.0", "10.0.0.5", "0.0.0.0")]
    public void Silo_ListensOnTheAdvertisedAddress_UnlessAnotherIsSet(
        ClusterProvider provider, string advertised, string listen, string expectedAdvertised, string expectedListening)
    {
        var addresses = SiloAddresses.Resolve(new() { Provider = provider, AdvertisedAddress = advertised, ListenAddress = listen });

        Assert.Equal(new(IPAddress.Parse(expectedAdvertised), IPAddress.Parse(expectedListening)), addresses);
    }

    [Fact]
    public void Silo_WithoutAnAddress_ListensOnTheOneThatItAdvertises()
    {
        var addresses = SiloAddresses.Resolve(new() { Provider = ClusterProvider.Redis });

        Assert.Equal(addresses.Advertised, addresses.Listening);
        Assert.DoesNotContain(addresses.Listening, new[] { IPAddress.Any, IPAddress.IPv6Any });
    }
}
