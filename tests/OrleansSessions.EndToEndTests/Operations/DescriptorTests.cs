using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Operations;

/// <summary>A process with a low limit of open files refuses connections before it reaches the limit, because it would be aborted there.</summary>
public sealed class DescriptorTests : IAsyncLifetime
{
    private const int OpenFiles = 512;
    private const int Connections = 1_000;

    private readonly List<TcpClient> _connections = [];
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync()
    {
        if (OperatingSystem.IsLinux())
        {
            _server = await ServerProcess.StartWithFilesAsync(
                OpenFiles, "Kestrel:Limits:KeepAliveTimeout=00:00:05", "Kestrel:Limits:RequestHeadersTimeout=00:00:03",
                "Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel=Error");
        }
        else
        {
            Assert.Skip("Only Linux reports how many files a process may open.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _connections.ForEach(connection => connection.Dispose());
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [Fact]
    public async Task MoreSocketsThanFit_AreRefusedWith429_AndTheLogSaysWhy()
    {
        var sockets = new List<ClientWebSocket>();
        try
        {
            HttpStatusCode? refused = null;
            while (refused is null && sockets.Count < OpenFiles)
            {
                var socket = new ClientWebSocket();
                socket.Options.CollectHttpResponseDetails = true;
                sockets.Add(socket);
                try
                {
                    await socket.ConnectAsync(_server.Socket($"s-{sockets.Count}"), TestContext.Current.CancellationToken);
                }
                catch (WebSocketException)
                {
                    refused = socket.HttpStatusCode;
                }
            }

            Assert.Equal(HttpStatusCode.TooManyRequests, refused);
            Assert.InRange(sockets.Count, 10, OpenFiles / 2);
            Assert.Contains($"may open {OpenFiles} files, so it accepts {sockets.Count - 1} sockets", _server.Output, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, (await _server.Http.GetAsync("/health/live", TestContext.Current.CancellationToken)).StatusCode);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /ws/s HTTP/1.1\r\nHost: localhost\r\nX-Half: ")]
    public async Task ConnectionsThatNeverFinishTheirRequest_DoNotEndTheProcess_AndMakeRoomForSocketsAgain(string bytes)
    {
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => HoldAsync(bytes)));

        // The test closes none of them. The time-outs of the server must free their places.
        await Eventually.TrueAsync(
            async () => _server.HasExited || await CanConnectAsync(), "the server accepts sockets again", TimeSpan.FromSeconds(60));

        Assert.False(_server.HasExited, _server.Output);
    }

    [Fact]
    public async Task RefusalsOnASocket_WhoseClientsDoNotAnswer_DoNotEndTheProcess()
    {
        var request = $"GET /ws/s HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: unknown\r\n\r\n";
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => HoldAsync(request)));

        await Eventually.TrueAsync(
            async () => _server.HasExited || await CanConnectAsync(), "the server accepts sockets again", TimeSpan.FromSeconds(60));

        Assert.False(_server.HasExited, _server.Output);
    }

    private async Task HoldAsync(string bytes)
    {
        var connection = new TcpClient();
        lock (_connections)
        {
            _connections.Add(connection);
        }

        try
        {
            await connection.ConnectAsync(_server.Address.Host, _server.Address.Port, TestContext.Current.CancellationToken);
            await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(bytes), TestContext.Current.CancellationToken);
        }
        catch (Exception fault) when (fault is SocketException or IOException)
        {
            // The limit refused the connection, as intended.
        }
    }

    private async Task<bool> CanConnectAsync()
    {
        using var socket = new ClientWebSocket();
        try
        {
            await socket.ConnectAsync(_server.Socket("after"), TestContext.Current.CancellationToken);
            return true;
        }
        catch (WebSocketException)
        {
            return false;
        }
    }
}
