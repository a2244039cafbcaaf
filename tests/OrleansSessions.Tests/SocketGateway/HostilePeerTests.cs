using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>
/// Peers that want to hold or to use up the server, byte by byte on real connections. Each must be gone in time, leave nothing behind, not even a line in
/// the log that someone would have to read, and harm no other client.
/// </summary>
public sealed class HostilePeerTests(GatewayFixture gateway) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly byte[] Question = RawSocket.Frame(RawSocket.Text, """{"type":"question","question":"why"}"""u8);

    private readonly string _session = GatewayFixture.NewSession();
    private readonly RecordedLog _log = new();
    private SocketHost? _host;

    private SocketHost Host => _host!;

    private SocketGatewayMetrics Metrics => Host.Services.GetRequiredService<SocketGatewayMetrics>();

    private Uri V1 => Host.SocketAddress($"/ws/{_session}?v=1");

    private Uri Basic => Host.SocketAddress($"/ws/{_session}");

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await Eventually.TrueAsync(() => Metrics.ActiveConnections == 0, "no connection is left");
        await Host.DisposeAsync();

        // A clock that a test moves makes the feed miss heartbeats, which the other classes test.
        Assert.DoesNotContain(_log.Lines, static line => line.Level >= LogLevel.Warning && !line.Category.Contains(".Feed.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnUpgrade_ThatArrivesByteByByte_IsCutAfterRequestHeadersTimeout()
    {
        await StartAsync(kestrel: TimeSpan.FromSeconds(1));
        using var peer = await RawSocket.DialAsync(V1);
        var request = RawSocket.Upgrade(V1, $"X-Padding: {new string('x', 20_000)}\r\n");
        var sent = 0;

        var ended = peer.CloseCodeAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                await TrySendAsync(peer, request.AsMemory(sent++, 1));
                return ended.IsCompleted;
            },
            "the connection is cut");
        Assert.InRange(sent, 2, request.Length - 1);
    }

    [Fact]
    public async Task AnUpgrade_WhoseSecondHalfNeverArrives_IsCutAfterRequestHeadersTimeout()
    {
        await StartAsync(kestrel: TimeSpan.FromSeconds(1));
        using var peer = await RawSocket.DialAsync(V1);
        var request = RawSocket.Upgrade(V1);
        await peer.SendAsync(request.AsMemory(0, request.Length / 2));

        await peer.CloseCodeAsync().WaitAsync(Patience);
        Assert.Equal(0, Metrics.ActiveConnections);
    }

    [Fact]
    public async Task AFrameHeader_ThatIsNotFollowedByItsPayload_Closes1008()
    {
        await StartAsync(options => options.MessageTimeout = TimeSpan.FromMilliseconds(300));
        using var peer = await RawSocket.ConnectAsync(V1);
        await peer.SendAsync(RawSocket.Frame(RawSocket.Text, new byte[10_000]).AsMemory(0, 8));

        Assert.Equal(CloseCodes.PolicyViolation, await peer.CloseCodeAsync());
    }

    [Fact]
    public async Task APayload_ThatArrivesByteByByte_Closes1008()
    {
        await StartAsync(options => options.MessageTimeout = TimeSpan.FromMilliseconds(300));
        using var peer = await RawSocket.ConnectAsync(V1);
        var frame = RawSocket.Frame(RawSocket.Text, Encoding.ASCII.GetBytes(new string(' ', 10_000)));
        var sent = 0;

        var ended = peer.CloseCodeAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                await TrySendAsync(peer, frame.AsMemory(sent++, 1));
                return ended.IsCompleted;
            },
            "the socket is closed");
        Assert.Equal(CloseCodes.PolicyViolation, await ended);
    }

    [Fact]
    public async Task HalfAFrameHeader_IsNoSignOfLife()
    {
        await StartAsync(options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(300));
        using var peer = await RawSocket.ConnectAsync(V1);
        await peer.SendAsync(Question.AsMemory(0, 1));

        Assert.Equal(CloseCodes.MissedHeartbeat, await peer.CloseCodeAsync());
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("half a frame header")]
    public async Task ABasicSocket_OfAPeerThatIsGone_IsCut(string sends)
    {
        await StartAsync(options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(300));
        using var peer = await RawSocket.ConnectAsync(Basic);
        await peer.SendAsync(Question.AsMemory(0, sends == "nothing" ? 0 : 1));

        await Eventually.TrueAsync(() => Metrics.ActiveConnections == 0, "the socket is cut");
    }

    [Fact]
    public async Task Fragments_WithoutEnd_AndWithPingsBetween_Close1008()
    {
        await StartAsync();
        using var peer = await RawSocket.ConnectAsync(V1);
        byte[] endless =
        [
            .. RawSocket.Frame(RawSocket.Text, [], isFinal: false),
            .. Enumerable.Range(0, 1_100).SelectMany(_ =>
                (byte[])[.. RawSocket.Frame(RawSocket.Ping, []), .. RawSocket.Frame(RawSocket.Continuation, [], isFinal: false)]),
        ];
        await peer.SendAsync(endless);

        Assert.Equal(CloseCodes.PolicyViolation, await peer.CloseCodeAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"type":"nonsense"}""")]
    public async Task AFloodOfMessages_ThatAreRefused_Closes4100(string message)
    {
        await StartAsync();
        using var peer = await RawSocket.ConnectAsync(V1);
        var one = RawSocket.Frame(RawSocket.Text, Encoding.UTF8.GetBytes(message));
        await peer.SendAsync(Enumerable.Repeat(one, 10_000).SelectMany(static frame => frame).ToArray());

        Assert.Equal(CloseCodes.BadProtocol, await peer.CloseCodeAsync());
    }

    [Fact]
    public async Task AFloodOfPings_IsAnsweredAsFastAsItIsAllowed_AndNotFaster()
    {
        var clock = new FakeTimeProvider();
        await StartAsync(options => (options.MaxControlBytesPerSecond, options.MaxMessageBytes, options.MessageTimeout) = (256, 1024, TimeSpan.FromHours(1)), clock: clock);
        using var peer = await RawSocket.ConnectAsync(Basic);
        var ping = RawSocket.Frame(RawSocket.Ping, []);
        await peer.SendAsync(Enumerable.Repeat(ping, 3_000).SelectMany(static frame => frame).ToArray());
        var pongs = 0;
        var reading = CountPongsAsync();

        // A burst is 16 seconds' worth and a message, and the runtime reads less than 256 bytes at once.
        var burst = ((16 * 256) + 1024) / ping.Length;
        await Eventually.TrueAsync(() => Volatile.Read(ref pongs) >= burst, "the burst is answered");
        await using (var other = await Host.ConnectV1Async(GatewayFixture.NewSession()))
        {
            await other.NextAsync("hello");
        }

        Assert.InRange(Volatile.Read(ref pongs), burst, burst + (256 / ping.Length));
        await Eventually.TrueAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                return Volatile.Read(ref pongs) == 3_000;
            },
            "the rest is answered, as time passes");
        peer.Reset();
        await Assert.ThrowsAnyAsync<Exception>(() => reading);

        async Task CountPongsAsync()
        {
            while (true)
            {
                var (first, _) = await peer.ReadFrameAsync();
                Assert.Equal(0x80 | RawSocket.Pong, first);
                Interlocked.Increment(ref pongs);
            }
        }
    }

    [Fact]
    public async Task AFloodOfPings_ThatGoesOn_Closes1008()
    {
        var clock = new FakeTimeProvider();
        await StartAsync(options => (options.MaxControlBytesPerSecond, options.MaxMessageBytes) = (256, 1024), clock: clock);
        using var peer = await RawSocket.ConnectAsync(Basic);
        await peer.SendAsync(Enumerable.Repeat(RawSocket.Frame(RawSocket.Ping, []), 3_000).SelectMany(static frame => frame).ToArray());

        var closed = peer.CloseCodeAsync();
        await Eventually.TrueAsync(
            () =>
            {
                // In steps in which less is allowed than one read takes.
                clock.Advance(closed.IsCompleted ? TimeSpan.Zero : TimeSpan.FromMilliseconds(100));
                return closed.IsCompleted;
            },
            "the socket is closed");
        Assert.Equal(CloseCodes.PolicyViolation, await closed);
        await Eventually.TrueAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                return Metrics.ActiveConnections == 0;
            },
            "the peer is cut after CloseTimeout");
    }

    [Fact]
    public async Task MessagesOfAnySize_AreNeverSlowedDown()
    {
        // The clock stands still, so whatever is paced would never arrive.
        await StartAsync(options => options.MaxControlBytesPerSecond = 256, clock: new FakeTimeProvider());
        await using var socket = await Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        var large = $$"""{"type":"ping","padding":"{{new string('x', 60_000)}}"}""";
        for (var round = 0; round < 1_000; round++)
        {
            await socket.SendAsync(round % 50 == 0 ? large : """{"type":"ping"}""");
            await socket.NextAsync("ping");
        }
    }

    [Theory]
    [InlineData("?v=1")]
    [InlineData("")]
    public async Task APeerThatFloodsPings_AndReadsNothing_IsCut_AndHoldsUpNoOne(string query)
    {
        await StartAsync(options => (options.MessageTimeout, options.CloseTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(200)));
        await using var honest = await Host.ConnectV1Async(GatewayFixture.NewSession());
        await honest.NextAsync("hello");
        using var peer = await RawSocket.ConnectAsync(Host.SocketAddress($"/ws/{_session}{query}"));
        var pings = Enumerable.Repeat(RawSocket.Frame(RawSocket.Ping, new byte[125]), 500).SelectMany(static frame => frame).ToArray();

        var taken = 0L;
        var flooding = FloodAsync();
        for (var round = 0; round < 100; round++)
        {
            await honest.SendAsync("""{"type":"ping"}""");
            await honest.NextAsync("ping");
        }

        await honest.DisposeAsync();
        await Eventually.TrueAsync(() => Metrics.ActiveConnections == 0, "the peer is cut");
        await flooding.WaitAsync(Patience);

        // What the connection's buffers hold, in the operating system and in the web server.
        Assert.InRange(Volatile.Read(ref taken), 0, 64L * 1024 * 1024);

        async Task FloodAsync()
        {
            while (await TrySendAsync(peer, pings))
            {
                Interlocked.Add(ref taken, pings.Length);
            }
        }
    }

    [Fact]
    public async Task Compression_IsNotNegotiated_AndACompressedFrameCloses1002()
    {
        await StartAsync();
        using var peer = await RawSocket.ConnectAsync(V1, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
        Assert.Contains("101 Switching Protocols", peer.Head, StringComparison.Ordinal);
        Assert.DoesNotContain("Extensions", peer.Head, StringComparison.OrdinalIgnoreCase);

        // 1 KB of this text would become megabytes.
        await peer.SendAsync(RawSocket.Frame(RawSocket.Text | RawSocket.Reserved, new byte[1_000]));
        Assert.Equal(CloseCodes.ProtocolError, await peer.CloseCodeAsync());
    }

    [Fact]
    public async Task AReset_AtAnyStep_LeavesNothingBehind()
    {
        string[] steps =
        [
            "connect", "half a request", "request", "upgrade", "half a header", "half a message", "fragment", "question", "answer", "broken frame", "close",
            "closed",
        ];
        await StartAsync();
        foreach (var step in steps)
        {
            for (var again = 0; again < 10; again++)
            {
                using var peer = await RawSocket.DialAsync(V1);
                await GoToAsync(peer, step);
                peer.Reset();
            }

            await Eventually.TrueAsync(() => Metrics.ActiveConnections == 0, $"all that were reset after '{step}' are gone");
            await using var other = await Host.ConnectV1Async(_session);
            await other.NextAsync("hello");
        }
    }

    private async Task GoToAsync(RawSocket peer, string step)
    {
        var request = RawSocket.Upgrade(V1);
        if (step is "connect" or "half a request" or "request")
        {
            await peer.SendAsync(request.AsMemory(0, step == "connect" ? 0 : step == "request" ? request.Length : request.Length / 2));
            return;
        }

        await peer.SendAsync(request);
        await peer.ReadHeadAsync();
        await peer.SendAsync(step switch
        {
            "half a header" => Question.AsMemory(0, 3),
            "half a message" => Question.AsMemory(0, Question.Length / 2),
            "fragment" => RawSocket.Frame(RawSocket.Text, "{"u8, isFinal: false),
            "question" or "answer" => Question,
            "broken frame" => RawSocket.Frame(0x3, []),
            "close" or "closed" => RawSocket.CloseFrame(1000),
            _ => default,
        });
        if (step == "answer")
        {
            await peer.ReadFrameAsync();
        }
        else if (step == "closed")
        {
            await peer.CloseCodeAsync();
        }
    }

    /// <summary>Returns false if the connection no longer takes anything.</summary>
    private static async Task<bool> TrySendAsync(RawSocket peer, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await peer.SendAsync(bytes);
            return true;
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task StartAsync(Action<SocketGatewayOptions>? configure = null, TimeSpan? kestrel = null, FakeTimeProvider? clock = null) =>
        _host = await SocketHost.StartAsync(
            gateway.Cluster.Orleans.Client, configure, configureHost: host =>
            {
                host.Logging.AddProvider(_log);
                if (kestrel is { } patience)
                {
                    host.WebHost.ConfigureKestrel(server => server.Limits.RequestHeadersTimeout = patience);
                }

                if (clock is not null)
                {
                    host.Services.AddSingleton<TimeProvider>(clock);
                }
            });
}
