using System.Net;
using System.Net.Sockets;
using System.Text;
using OrleansSessions.Chaos.Proxies;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.ChaosRuns;

/// <summary>Each fault of a connection, with a client and a server that the test holds in its hands.</summary>
public sealed class FaultProxyTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly FaultProxy _proxy = new(readsNames: true);
    private readonly TcpClient _client = new() { NoDelay = true };
    private Socket? _server;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _server?.Dispose();
        _listener.Dispose();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task WithoutAFault_EverythingPasses_AndTheEndsOfBothSides()
    {
        var link = await ConnectAsync();
        Assert.Equal("me#1", link.Client);

        await SendAsync(_client.Client, "up");
        Assert.Equal("up", await ReceiveAsync(_server!, 2));
        await SendAsync(_server!, "down");
        Assert.Equal("down", await ReceiveAsync(_client.Client, 4));

        _client.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal("", await ReceiveAsync(_server!, 1));
        await SendAsync(_server!, "after");
        Assert.Equal("after", await ReceiveAsync(_client.Client, 5));
        _server!.Shutdown(SocketShutdown.Send);
        Assert.Equal("", await ReceiveAsync(_client.Client, 1));
        await Eventually.TrueAsync(() => _proxy.Links.Count == 0, "the connection is forgotten");
    }

    [Fact]
    public async Task Reset_ResetsBothSides()
    {
        (await ConnectAsync()).Reset();

        await Assert.ThrowsAsync<SocketException>(() => ReceiveAsync(_client.Client, 1));
        await Assert.ThrowsAsync<SocketException>(() => ReceiveAsync(_server!, 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AResetOfOneSide_ReachesTheOtherOne_ThoughThatIsSilent(bool isServer)
    {
        await ConnectAsync();
        var (breaks, waits) = isServer ? (_server!, _client.Client) : (_client.Client, _server!);

        breaks.LingerState = new(true, 0);
        breaks.Close();

        await Assert.ThrowsAsync<SocketException>(() => ReceiveAsync(waits, 1));
    }

    [Fact]
    public async Task Close_EndsBothSidesInOrder()
    {
        var closing = (await ConnectAsync()).CloseAsync();

        Assert.Equal("", await ReceiveAsync(_client.Client, 1));
        Assert.Equal("", await ReceiveAsync(_server!, 1));
        await closing;
    }

    [Fact]
    public async Task AStalledDirection_HoldsWhatIsSent_UntilItGoesOn()
    {
        var link = await ConnectAsync();
        link.Down.Stall();
        await SendAsync(_server!, "held");
        await SendAsync(_client.Client, "up");
        Assert.Equal("up", await ReceiveAsync(_server!, 2));
        Assert.Equal(0, _client.Available);

        link.Down.GoOn();

        Assert.Equal("held", await ReceiveAsync(_client.Client, 4));
    }

    [Fact]
    public async Task ADelayedDirection_IsLate()
    {
        var link = await ConnectAsync();
        link.Up.Delay = TimeSpan.FromMilliseconds(300);
        var start = TimeProvider.System.GetTimestamp();

        await SendAsync(_client.Client, "late");

        Assert.Equal("late", await ReceiveAsync(_server!, 4));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 250, Patience.TotalMilliseconds);
    }

    [Fact]
    public async Task ALosingDirection_LosesWhatIsSent_AndTheOtherOneWorks()
    {
        var link = await ConnectAsync();
        link.Up.Lose();
        await SendAsync(_client.Client, "lost");
        await SendAsync(_server!, "down");
        Assert.Equal("down", await ReceiveAsync(_client.Client, 4));

        link.Reset();

        // Nothing of what was lost came before the reset.
        await Assert.ThrowsAsync<SocketException>(() => ReceiveAsync(_server!, 1));
    }

    [Fact]
    public async Task ASlowReader_TakesItsTime_AndLosesNothing()
    {
        var link = await ConnectAsync();
        link.Down.IsSlow = true;
        // The read that is already waiting has a large buffer.
        await SendAsync(_server!, "first");
        Assert.Equal("first", await ReceiveAsync(_client.Client, 5));
        var start = TimeProvider.System.GetTimestamp();

        await SendAsync(_server!, new string('x', 1_024));

        Assert.Equal(new string('x', 1_024), await ReceiveAsync(_client.Client, 1_024));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 300, Patience.TotalMilliseconds);
    }

    [Fact]
    public async Task WithoutAServer_AConnectionIsReset()
    {
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            // The reset can come before the client knows that it is connected.
            await _client.ConnectAsync(IPAddress.Loopback, _proxy.Port);
            await ReceiveAsync(_client.Client, 1);
        });
    }

    private async Task<ProxyLink> ConnectAsync()
    {
        const string Head = "GET / HTTP/1.1\r\nX-Chaos-Client: me#1\r\n\r\n";
        _listener.Start();
        _proxy.Target = ((IPEndPoint)_listener.LocalEndpoint).Port;
        await _client.ConnectAsync(IPAddress.Loopback, _proxy.Port);
        _server = await _listener.AcceptSocketAsync();
        await SendAsync(_client.Client, Head);
        Assert.Equal(Head, await ReceiveAsync(_server, Head.Length));
        return Assert.Single(_proxy.Links);
    }

    private static async Task SendAsync(Socket socket, string text) => await socket.SendAsync(Encoding.ASCII.GetBytes(text));

    /// <summary>Receives so many bytes, or fewer if the other side ends before.</summary>
    private static async Task<string> ReceiveAsync(Socket socket, int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        var (buffer, received) = (new byte[count], 0);
        while (received < count)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(received), patience.Token);
            if (read == 0)
            {
                break;
            }

            received += read;
        }

        return Encoding.ASCII.GetString(buffer, 0, received);
    }
}
