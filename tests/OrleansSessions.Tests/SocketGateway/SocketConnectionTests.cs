using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Clustering;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Sockets;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>One connection and its time limits, with a clock that only the test advances. The session is at number 7 and never answers a read.</summary>
public sealed class SocketConnectionTests : IAsyncDisposable
{
    private readonly ClusterEviction _eviction = new();
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _clock = new();
    private readonly MemorySockets _sockets = new();
    private readonly FollowerRegistry _registry = new();
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly FollowerServices _services;
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private Task _attach = Task.CompletedTask;
    private int _failingFetches;
    private QuestionDescription? _question;

    public SocketConnectionTests()
    {
        var unanswered = new TaskCompletionSource<LogPiece>();
        var session = Stub.Of<ISessionGrain>((method, _) => method.Name switch
        {
            nameof(ISessionGrain.AttachAsync) => AttachAsync(),
            nameof(ISessionGrain.ReadLogAsync) => unanswered.Task,
            nameof(ISessionGrain.AskAsync) => Ask(),
            nameof(ISessionGrain.GetQuestionAsync) => Interlocked.Decrement(ref _failingFetches) >= 0
                ? Task.FromException<QuestionDescription?>(new TimeoutException())
                : Task.FromResult(_question),
            _ => Task.CompletedTask,
        });
        _services = FollowerTestServices.Create(session, _registry, _metrics, _clock, null, _eviction);
    }

    public async ValueTask DisposeAsync()
    {
        _sockets.Client.Abort();
        _sockets.Server.Abort();
        await _running.WaitAsync(Patience);
        _sockets.Dispose();
        await _metrics.DisposeAsync();
    }

    [Fact]
    public async Task AMessageThatIsNotFinishedInTime_Closes1008_AndNotBefore()
    {
        var connection = await OpenAsync(null);
        await _sockets.Client.SendAsync("{"u8.ToArray(), WebSocketMessageType.Text, false, CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(9.9));
        connection.Follower.OnTick(_clock.GetTimestamp());
        Assert.False(connection.IsClosing);

        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
                connection.Follower.OnTick(_clock.GetTimestamp());
                return connection.IsClosing;
            },
            "the socket is closed because of the unfinished message");
        Assert.Equal(CloseCodes.PolicyViolation, await ClosedAsync());
    }

    [Fact]
    public async Task Heartbeat_StartsAfterTheHello_HoweverLongTheAttachTakes()
    {
        var attached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _attach = attached.Task;
        var connection = new SocketConnection(_sockets.Server, new(SessionAccess.Own(CallerIdentity.Local), "s", WireProfile.V1, null), _services);
        _running = connection.RunAsync();
        for (var i = 0; i < 90; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            connection.Follower.OnTick(_clock.GetTimestamp());
        }

        attached.SetResult();
        Assert.Equal("hello", (await NextAsync()).Type());
        for (var i = 0; i < 25; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            connection.Follower.OnTick(_clock.GetTimestamp());
        }

        Assert.Equal("ping", (await NextAsync()).Type());
        Assert.False(connection.IsClosing);
    }

    [Fact]
    public async Task AServerThatHung_PingsFirst_AndClosesOnlyAClientThatIsSilentThen()
    {
        var connection = await OpenAsync(null);
        Tick(after: TimeSpan.FromMinutes(2));
        Assert.Equal("ping", (await NextAsync()).Type());
        Tick(after: TimeSpan.FromSeconds(24));
        Assert.False(connection.IsClosing);

        Tick(after: TimeSpan.FromSeconds(1));
        Assert.Equal(CloseCodes.MissedHeartbeat, await ClosedAsync());

        void Tick(TimeSpan after)
        {
            _clock.Advance(after);
            connection.Follower.OnTick(_clock.GetTimestamp());
        }
    }

    [Fact]
    public async Task Ping_WhileAReplayIsAwaited_NamesNothingThatWasNotWritten()
    {
        await OpenAsync((1, 5));
        await _sockets.Client.SendAsync("""{"type":"ping"}"""u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);

        var ping = await NextAsync();
        Assert.Equal(("ping", 5L), (ping.Type(), ping.Number("seq")));
    }

    [Fact]
    public async Task AClientThatNeverAnswersTheClose_IsCutAfterCloseTimeout()
    {
        var connection = await OpenAsync(null);
        connection.Follower.Close(CloseCodes.Draining, "bye");
        Assert.False(_running.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(2));
        await _running.WaitAsync(Patience);
        Assert.False(_registry.TryFind("/s", out _));
    }

    [Fact]
    public async Task ABasicAnswerThatCannotBeFetched_IsFetchedUntilItIsThere()
    {
        _failingFetches = 9;
        _question = new()
        {
            QuestionId = "q",
            Question = "why",
            Text = "because",
            Deltas = 1,
            Bytes = 7,
            Status = QuestionStatus.Completed,
            Epoch = 1,
            AcceptedSeq = 8,
            DoneSeq = 10,
            Attempt = 1,
            End = Completed,
        };
        var frame = await AskBasicAndLoseTheTextAsync();

        Assert.Equal(("response", "because"), (frame.Type(), frame.Text("data")));
        Assert.True(_failingFetches < 0);
    }

    [Fact]
    public async Task ABasicAnswerThatTheSessionDoesNotKnow_IsLost()
    {
        var frame = await AskBasicAndLoseTheTextAsync();
        Assert.Equal(("error", DoneReasons.ResponderLost), (frame.Type(), frame.Text("code")));
    }

    private static QuestionEnd Completed { get; } = new() { Status = QuestionStatus.Completed, Deltas = 1, Bytes = 7, FirstMs = 1, TotalMs = 1 };

    private async Task<AttachReply> AttachAsync()
    {
        await _attach;
        return new AttachReply { Epoch = 1, Seq = 7, Open = [], Responder = "echo" };
    }

    private Task<AskReply> Ask()
    {
        _asked.TrySetResult();
        return Task.FromResult(new AskReply { Outcome = AskOutcome.Accepted, QuestionId = "q", Epoch = 1, Seq = 8 });
    }

    private async Task<JsonElement> AskBasicAndLoseTheTextAsync()
    {
        var connection = new SocketConnection(_sockets.Server, new(SessionAccess.Own(CallerIdentity.Local), "s", WireProfile.Basic, null), _services);
        _running = connection.RunAsync();
        await _sockets.Client.SendAsync("""{"question":"why","id":"q"}"""u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        await _asked.Task.WaitAsync(Patience);
        connection.Follower.OnEvents(1, [LogEvent.Accepted(8, "q", "why", 0), LogEvent.Done(9, "q", Completed)]);
        var frame = NextAsync();
        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
                return frame.IsCompleted;
            },
            "the end is sent to the socket");
        return await frame;
    }

    private async Task<SocketConnection> OpenAsync((long Epoch, long AfterSeq)? resume)
    {
        var connection = new SocketConnection(_sockets.Server, new(SessionAccess.Own(CallerIdentity.Local), "s", WireProfile.V1, resume), _services);
        _running = connection.RunAsync();
        Assert.Equal("hello", (await NextAsync()).Type());
        return connection;
    }

    private async Task<JsonElement> NextAsync()
    {
        var buffer = new byte[16 * 1024];
        var frame = await _sockets.Client.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Patience);
        Assert.True(frame.EndOfMessage);
        using var document = JsonDocument.Parse(Encoding.UTF8.GetString(buffer, 0, frame.Count));
        return document.RootElement.Clone();
    }

    private async Task<int> ClosedAsync()
    {
        var buffer = new byte[1024];
        while ((await _sockets.Client.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Patience)).MessageType
            != WebSocketMessageType.Close)
        {
        }

        return (int)_sockets.Client.CloseStatus!;
    }
}
