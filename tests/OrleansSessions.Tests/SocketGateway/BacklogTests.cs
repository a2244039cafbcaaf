using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Clustering;
using OrleansSessions.Configuration;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Sockets;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>
/// Clients that ask for more than they read. Their session has an ended question of 900 KB, and the connection between them has small buffers.
/// </summary>
public sealed class BacklogTests : IAsyncDisposable
{
    private const int AnswerChars = 900_000;

    // Half of the queue may be full when a request is accepted, and one part of the snapshot is being sent.
    private const int RoomChars = 64 * 1024;

    // The bytes of ASCII text that a pipe and a frame that is being sent contain.
    private const int InTransit = 256 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly byte[] Ask = Encoding.UTF8.GetBytes("""{"type":"question","id":"q","question":"why"}""");

    private readonly FakeTimeProvider _clock = new();
    // A poll of the test moves the clock by a second, so a busy machine could seem to take long over one message.
    private readonly SocketGatewayOptions _options = new() { MessageTimeout = TimeSpan.FromHours(1), MaxMessagesPerMinute = 0 };
    private readonly ClusterEviction _eviction = new();
    private readonly FollowerRegistry _registry = new();
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly FollowerServices _services;
    private readonly List<(MemorySockets Sockets, Task Running)> _open = [];
    private Func<AskReply> _onAsk = () => throw new NotSupportedException();
    private int _cancels;
    private int _reads;
    private int _mostReads;

    public BacklogTests()
    {
        var session = Stub.Of<ISessionGrain>((method, _) => method.Name switch
        {
            nameof(ISessionGrain.AttachAsync) => Task.FromResult(new AttachReply { Epoch = 1, Seq = 7, Open = [], Responder = "echo" }),
            nameof(ISessionGrain.AskAsync) => Task.FromResult(_onAsk()),
            nameof(ISessionGrain.ReadLogAsync) => ReadLogAsync(),
            nameof(ISessionGrain.CancelAsync) => CancelAsync(),
            _ => Task.CompletedTask,
        });
        _services = FollowerTestServices.Create(session, _registry, _metrics, _clock, _options, _eviction);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (sockets, _) in _open)
        {
            sockets.Client.Abort();
            sockets.Server.Abort();
        }

        foreach (var (sockets, running) in _open)
        {
            await running.WaitAsync(Patience);
            sockets.Dispose();
        }

        _eviction.Dispose();
        await _metrics.DisposeAsync();
    }

    [Fact]
    public async Task ASocketThatAsksAgainAndAgain_IsServedOnlyAsFastAsItReads_AndGetsEverything()
    {
        var (asked, read) = (0, 0);
        var excess = int.MinValue;
        var answer = Duplicate();
        _onAsk = () =>
        {
            // What was queued before this ask and is still unread.
            excess = Math.Max(excess, (AnswerChars * asked++) - Volatile.Read(ref read));
            return answer;
        };
        var (client, _) = await OpenAsync();
        for (var i = 0; i < 5; i++)
        {
            await SendAsync(client, Ask);
        }

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("accepted", (await NextAsync(client)).Type());
            for (var (part, parts) = (0L, 1L); part < parts;)
            {
                var snapshot = await NextAsync(client);
                Assert.Equal(("snapshot", part + 1), (snapshot.Type(), snapshot.Number("part")));
                (part, parts) = (part + 1, snapshot.Number("parts")!.Value);
                Volatile.Write(ref read, read + snapshot.Text("text")!.Length);
            }

            Assert.Equal("done", (await NextAsync(client)).Type());
            Assert.Equal(AnswerChars * (i + 1), read);
        }

        Assert.Equal(5, asked);
        Assert.InRange(excess, 0, RoomChars + InTransit);
    }

    [Fact]
    public async Task AHundredAndFiftySocketsThatAskAgainAndDoNotRead_HoldNoCopiesOfTheAnswer()
    {
        const int sockets = 150;
        var answered = 0;
        var answer = Duplicate();
        _onAsk = () =>
        {
            Interlocked.Increment(ref answered);
            return answer;
        };
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < sockets; i++)
        {
            var (client, _) = await OpenAsync();
            for (var again = 0; again < 5; again++)
            {
                await SendAsync(client, Ask);
            }
        }

        await Eventually.TrueAsync(() => answered >= sockets, "each socket has an answer that it does not read");
        var growth = GC.GetTotalMemory(forceFullCollection: true) - before;

        // One copy of the answer for each socket would be 270 MB.
        Assert.InRange(growth, long.MinValue, 150_000_000);
    }

    [Theory]
    [InlineData("""{"type":"resume","epoch":"e1","after_seq":7}""")]
    [InlineData("""{"type":"ping"}""")]
    public async Task AFlowOfSmallFrames_ThatIsRead_IsServed_WithOneReadOfTheLogAtATime(string frame)
    {
        var (client, connection) = await OpenAsync();
        var sending = SendManyAsync(client, frame, 5_000, """{"type":"cancel"}""");
        while ((await NextAsync(client)).Type() != "error")
        {
        }

        await sending.WaitAsync(Patience);
        Assert.False(connection.IsClosing);
        Assert.InRange(_mostReads, 0, 1);
    }

    [Theory]
    [InlineData("""{"type":"resume","epoch":"e1","after_seq":7}""")]
    [InlineData("""{"type":"ping"}""")]
    public async Task AFlowOfSmallFrames_ThatIsNotRead_EndsWith4002(string frame)
    {
        var (client, connection) = await OpenAsync();
        var sending = SendManyAsync(client, frame, int.MaxValue, "{}");

        // The server reads no more until the client does. Only then time passes, so a busy machine does not make the client seem silent.
        await Eventually.TrueAsync(() => !connection.Follower.Writer.HasRoom, "the replies take half of the queue");
        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
                connection.Follower.OnTick(_clock.GetTimestamp());
                return connection.IsClosing;
            },
            "the client that does not read is closed");
        Assert.Equal(CloseCodes.SlowConsumer, await ClosedAsync(client));
        client.Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => sending).WaitAsync(Patience);
    }

    [Fact]
    public void ALogReadOfMoreThanHasRoom_IsRefusedAtTheStart()
    {
        var validator = new SectionValidator<SocketGatewayOptions>();

        Assert.True(validator.Validate(null, new()).Succeeded);
        Assert.True(validator.Validate(null, new() { MaxQueuedBytes = 128 * 1024, LogReadBytes = 32 * 1024 }).Succeeded);
        var refused = validator.Validate(null, new() { MaxQueuedBytes = 128 * 1024 });
        Assert.Contains("SocketGateway:LogReadBytes is 65536", refused.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClientThatReadsSlowly_DoesNotCountAsSilent_WhileItsRequestsWait()
    {
        _options.HeartbeatInterval = TimeSpan.FromSeconds(1);
        var answer = Duplicate();
        var asked = 0;
        _onAsk = () =>
        {
            Interlocked.Increment(ref asked);
            return answer;
        };
        var (client, connection) = await OpenAsync();
        await SendAsync(client, Ask);
        await SendAsync(client, Ask);
        await Eventually.TrueAsync(() => asked == 1, "the first is answered");
        for (var tick = 0; tick < 5; tick++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            connection.Follower.OnTick(_clock.GetTimestamp());
        }

        Assert.False(connection.IsClosing);
        for (var done = 0; done < 2;)
        {
            done += (await NextAsync(client)).Type() == "done" ? 1 : 0;
        }

        connection.Follower.OnTick(_clock.GetTimestamp());
        Assert.False(connection.IsClosing);
    }

    [Fact]
    public async Task ACancel_IsAccepted_HoweverMuchIsUnread()
    {
        var answer = Duplicate();
        _onAsk = () => answer;
        var (client, _) = await OpenAsync();
        await SendAsync(client, Ask);
        await SendAsync(client, Encoding.UTF8.GetBytes("""{"type":"cancel"}"""));

        await Eventually.TrueAsync(() => _cancels == 1, "the cancel has reached the session, although nothing of the answer was read");
    }

    [Fact]
    public async Task AClose_WakesARequestThatWaits_WhichIsDropped()
    {
        var asked = 0;
        var answer = Duplicate();
        _onAsk = () =>
        {
            Interlocked.Increment(ref asked);
            return answer;
        };
        var (client, connection) = await OpenAsync();
        await SendAsync(client, Ask);
        await SendAsync(client, Ask);
        await Eventually.TrueAsync(() => asked == 1, "the first is answered");
        connection.Follower.Close(CloseCodes.Draining, "bye");

        Assert.Equal(CloseCodes.Draining, await ClosedAsync(client));
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await _open[^1].Running.WaitAsync(Patience);
        Assert.Equal(1, asked);
    }

    private static AskReply Duplicate()
    {
        var end = new QuestionEnd { Status = QuestionStatus.Completed, Deltas = 1, Bytes = AnswerChars, FirstMs = 1, TotalMs = 1 };
        var earlier = new QuestionDescription
        {
            QuestionId = "q",
            Question = "why",
            Text = new string('x', AnswerChars),
            Deltas = 1,
            Bytes = AnswerChars,
            Status = QuestionStatus.Completed,
            Epoch = 1,
            AcceptedSeq = 1,
            DoneSeq = 3,
            Attempt = 1,
            End = end,
        };
        return new() { Outcome = AskOutcome.Duplicate, QuestionId = "q", Epoch = 1, Seq = 1, Earlier = earlier };
    }

    private Task<CancelReply> CancelAsync()
    {
        Interlocked.Increment(ref _cancels);
        return Task.FromResult(new CancelReply { Outcome = CancelOutcome.NotFound, Epoch = 1 });
    }

    private async Task<LogPiece> ReadLogAsync()
    {
        _mostReads = Math.Max(_mostReads, Interlocked.Increment(ref _reads));
        await Task.Yield();
        Interlocked.Decrement(ref _reads);
        return new() { Outcome = LogReadOutcome.Recovered, Epoch = 1, Head = 7, Events = [], IsAtHead = true, Open = [] };
    }

    private async Task<(WebSocket Client, SocketConnection Connection)> OpenAsync()
    {
        var sockets = new MemorySockets();
        var connection = new SocketConnection(sockets.Server, new(SessionAccess.Own(CallerIdentity.Local), "s", WireProfile.V1, null), _services);
        _open.Add((sockets, connection.RunAsync()));
        Assert.Equal("hello", (await NextAsync(sockets.Client)).Type());
        return (sockets.Client, connection);
    }

    private static Task SendAsync(WebSocket client, byte[] frame) =>
        client.SendAsync(frame, WebSocketMessageType.Text, true, CancellationToken.None).WaitAsync(Patience);

    private static async Task SendManyAsync(WebSocket client, string frame, int count, string last)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var bytes = Encoding.UTF8.GetBytes(frame);
        for (var i = 0; i < count; i++)
        {
            await client.SendAsync(bytes, WebSocketMessageType.Text, true, CancellationToken.None);
        }

        await client.SendAsync(Encoding.UTF8.GetBytes(last), WebSocketMessageType.Text, true, CancellationToken.None);
    }

    private static Task<JsonElement> NextAsync(WebSocket client) => MemorySockets.NextAsync(client, Patience);

    private static async Task<int> ClosedAsync(WebSocket client)
    {
        var buffer = new byte[64 * 1024];
        while ((await client.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Patience)).MessageType != WebSocketMessageType.Close)
        {
        }

        return (int)client.CloseStatus!;
    }
}
