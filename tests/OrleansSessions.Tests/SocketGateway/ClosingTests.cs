using System.Text;
using Microsoft.Extensions.Logging;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>
/// How a connection ends, byte by byte. CloseTimeout is longer than a raw socket waits, so a test passes only if the close is sent before that.
/// </summary>
public sealed class ClosingTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly RecordedLog _log = new();
    private SocketHost? _host;

    public async ValueTask InitializeAsync()
    {
        await gateway.StartAsync();
        _host = await StartAsync(closeTimeout: TimeSpan.FromSeconds(30));
    }

    public ValueTask DisposeAsync() => _host!.DisposeAsync();

    public static TheoryData<string, byte[], int> ClosesOfThePeer => new()
    {
        { "with 1000", RawSocket.CloseFrame(1000), 1000 },
        { "with 1001", RawSocket.CloseFrame(1001), 1001 },
        { "with 3000", RawSocket.CloseFrame(3000), 3000 },
        { "with 4999", RawSocket.CloseFrame(4999), 4999 },
        { "with no code", RawSocket.Frame(RawSocket.Close, []), 1000 },
        { "with half a code", RawSocket.Frame(RawSocket.Close, [3]), 1002 },
        { "with a reason that is not UTF-8", RawSocket.Frame(RawSocket.Close, [3, 0xE8, 0xC3, 0x28]), 1002 },
        { "twice", [.. RawSocket.CloseFrame(1000), .. RawSocket.CloseFrame(1001)], 1000 },
        { "before more", [.. RawSocket.CloseFrame(1000), .. RawSocket.Frame(RawSocket.Text, """{"type":"ping"}"""u8)], 1000 },
        { "in mid-message with 1000", [.. Begun, .. RawSocket.CloseFrame(1000)], 1000 },
        { "in mid-message with 4321", [.. Begun, .. RawSocket.CloseFrame(4321)], 4321 },
        { "in mid-message with no code", [.. Begun, .. RawSocket.Frame(RawSocket.Close, [])], 1000 },
        { "in mid-message with 1005", [.. Begun, .. RawSocket.CloseFrame(1005)], 1002 },
        { "between fragments and before the last", [.. Begun, .. RawSocket.CloseFrame(1000), .. RawSocket.Frame(RawSocket.Continuation, "}"u8)], 1000 },
        { "in mid-message twice", [.. Begun, .. RawSocket.CloseFrame(1000), .. RawSocket.CloseFrame(1000)], 1000 },
    };

    public static TheoryData<int> ReservedCodes => [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];

    public static TheoryData<string, byte[], int> BrokenFrames => new()
    {
        { "a reserved opcode", RawSocket.Frame(0x3, []), 1002 },
        { "a reserved opcode, then more", [.. RawSocket.Frame(0xB, [1, 2, 3]), .. RawSocket.Frame(RawSocket.Text, new byte[60_000])], 1002 },
        { "a fragment of nothing", RawSocket.Frame(RawSocket.Continuation, "x"u8), 1002 },
        { "a new message in mid-message", [.. Begun, .. RawSocket.Frame(RawSocket.Text, "{}"u8)], 1002 },
        { "text that is not UTF-8", RawSocket.Frame(RawSocket.Text, [0xC3, 0x28]), 1007 },
        { "half a character at the end of a message", [.. Begun, .. RawSocket.Frame(RawSocket.Continuation, [0xC3])], 1007 },
    };

    private static byte[] Begun => RawSocket.Frame(RawSocket.Text, "{"u8, isFinal: false);

    [Theory, MemberData(nameof(ClosesOfThePeer))]
    public async Task APeerThatCloses_IsAnswered_AndTheConnectionEndsInOrder(string how, byte[] bytes, int code)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(bytes);

        Assert.Equal((how, code), (how, await socket.CloseCodeAsync()));
        Assert.True(await socket.EndsInOrderAsync());
        Assert.DoesNotContain(_log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Theory, MemberData(nameof(ReservedCodes))]
    public async Task AReservedCode_IsNeverSentBack(int code)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(RawSocket.CloseFrame(code));

        Assert.Equal(1002, await socket.CloseCodeAsync());
        Assert.True(await socket.EndsInOrderAsync());
        Assert.DoesNotContain(_log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Theory, MemberData(nameof(BrokenFrames))]
    public async Task AfterABrokenFrame_TheConnectionEndsInOrder_AsSoonAsThePeerHasAnsweredTheClose(string what, byte[] bytes, int code)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(bytes);
        Assert.Equal((what, code), (what, await socket.CloseCodeAsync()));
        await socket.SendAsync(RawSocket.CloseFrame(code));

        Assert.True(await socket.EndsInOrderAsync());
        Assert.DoesNotContain(_log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task AfterABrokenFrame_AnAnswerInPiecesBehindOtherFrames_IsRecognized()
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(RawSocket.Frame(0x3, []));
        Assert.Equal(1002, await socket.CloseCodeAsync());
        await socket.SendAsync(RawSocket.Frame(RawSocket.Text, Encoding.ASCII.GetBytes(new string('x', 20_000))));
        foreach (var one in RawSocket.Frame(RawSocket.Close, [3, 0xEA, .. "goodbye"u8]))
        {
            await socket.SendAsync(new[] { one });
        }

        Assert.True(await socket.EndsInOrderAsync());
    }

    [Fact]
    public async Task AfterABrokenFrame_APeerThatOnlyLeaves_EndsTheConnection()
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(RawSocket.Frame(0x3, []));
        Assert.Equal(1002, await socket.CloseCodeAsync());
        socket.EndSending();

        Assert.True(await socket.EndsInOrderAsync());
        Assert.DoesNotContain(_log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task AfterABrokenFrame_APeerThatNeverAnswers_IsCutAfterCloseTimeout()
    {
        await using var host = await StartAsync(closeTimeout: TimeSpan.FromMilliseconds(200));
        using var socket = await RawSocket.ConnectAsync(host.SocketAddress($"/ws/{GatewayFixture.NewSession()}"));
        await socket.SendAsync(RawSocket.Frame(0x3, []));

        Assert.Equal(1002, await socket.CloseCodeAsync());
        await socket.EndsInOrderAsync();
        Assert.DoesNotContain(_log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task WebSocketPings_AreNoSignOfLife_OnAV1Socket()
    {
        await using var host = await SocketHost.StartAsync(
            gateway.Cluster.Orleans.Client, options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(200));
        using var socket = await RawSocket.ConnectAsync(host.SocketAddress($"/ws/{GatewayFixture.NewSession()}?v=1"));

        // The client answers each frame of the server, including pongs, with a WebSocket ping.
        Assert.Equal(4003, await socket.CloseCodeAsync(answer: RawSocket.Frame(RawSocket.Ping, [])));
    }

    private Task<SocketHost> StartAsync(TimeSpan closeTimeout) => SocketHost.StartAsync(
        gateway.Cluster.Orleans.Client, options => options.CloseTimeout = closeTimeout, configureHost: host => host.Logging.AddProvider(_log));

    // On a basic socket, the server sends nothing unasked.
    private Task<RawSocket> ConnectAsync() => RawSocket.ConnectAsync(_host!.SocketAddress($"/ws/{GatewayFixture.NewSession()}"));
}
