using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Access;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class HostPolicyTests
{
    [Theory]
    [InlineData(false, "http://127.0.0.1:5080")]
    [InlineData(false, "http://localhost:5080")]
    [InlineData(false, "http://[::1]:5080", "https://127.0.0.1:5443")]
    [InlineData(false, "http://127.0.0.1:5080", "http://unix:/run/sessions.sock")]
    [InlineData(true, "http://[::]:5080")]
    [InlineData(true, "http://0.0.0.0:5080")]
    [InlineData(true, "http://127.0.0.1:5080", "http://192.0.2.7:5080")]
    [InlineData(true, "http://<file handle>")]
    [InlineData(true)]
    public void AnUnknownName_IsAcceptedOnlyIfTheServerListensBeyondLoopback(bool isKnown, params string[] addresses) =>
        Assert.Equal(isKnown, Policy(addresses).IsKnown(Request("evil.example")));

    [Theory]
    [InlineData(false, 5080)]
    [InlineData(true, 9090)]
    public void AnUnknownName_IsRefusedOnALoopbackPort_ThoughAnotherPortIsPublic(bool isKnown, int port)
    {
        var request = Request("evil.example");
        request.Connection.LocalPort = port;

        Assert.Equal(isKnown, Policy("http://localhost:5080", "http://[::]:9090").IsKnown(request));
    }

    [Fact]
    public void ARequestWithoutAHost_OrThroughAUnixSocket_IsAccepted()
    {
        var policy = Policy("http://127.0.0.1:5080");
        var unix = Request("proxy.example");
        unix.Connection.LocalIpAddress = null;

        Assert.True(policy.IsKnown(Request("")));
        Assert.True(policy.IsKnown(unix));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("X-Forwarded-For", false)]
    [InlineData("Forwarded", false)]
    public void ARequestThroughAUnixSocket_IsFromThisMachine_UnlessItWasForwarded_AndIsNeverLocal(string? header, bool isFromHere)
    {
        var policy = Policy("http://unix:/run/sessions.sock");
        var request = Request("localhost");
        request.Connection.LocalIpAddress = null;
        if (header is not null)
        {
            request.Request.Headers[header] = "127.0.0.1";
        }

        Assert.Equal((isFromHere, false), (policy.IsFromThisMachine(request), policy.IsLocal(request)));
    }

    [Fact]
    public void AnAddressThatIsBoundLater_CountsFromThenOn()
    {
        var addresses = new Bound("http://127.0.0.1:5080");
        using var started = new CancellationTokenSource();
        var policy = Policy(addresses, started.Token);
        Assert.False(policy.IsKnown(Request("chat.example")));

        addresses.Addresses.Add("http://192.0.2.7:5080");
        started.Cancel();

        Assert.True(policy.IsKnown(Request("chat.example")));
    }

    private static HostPolicy Policy(params string[] addresses) => Policy(new Bound(addresses), new CancellationToken(canceled: true));

    private static HostPolicy Policy(Bound addresses, CancellationToken started)
    {
        var features = new FeatureCollection();
        features.Set<IServerAddressesFeature>(addresses);
        return new(
            Stub.Of<IServer>((_, _) => features), Stub.Of<IHostApplicationLifetime>((_, _) => started), new ConfigurationManager(),
            Options.Create(new SocketGatewayOptions()));
    }

    private static DefaultHttpContext Request(string host)
    {
        var context = new DefaultHttpContext { Connection = { LocalIpAddress = IPAddress.Loopback } };
        context.Request.Host = new HostString(host);
        return context;
    }

    private sealed class Bound(params string[] addresses) : IServerAddressesFeature
    {
        public ICollection<string> Addresses { get; } = [.. addresses];

        public bool PreferHostingUrls { get; set; }
    }
}
