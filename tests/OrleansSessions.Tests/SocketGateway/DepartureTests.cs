using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Log;
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

/// <summary>A socket that is to leave, with a clock that only the test advances.</summary>
public sealed class DepartureTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _clock = new();
    private readonly MemorySockets _sockets = new();
    private readonly FollowerRegistry _registry = new();
    private readonly SocketGatewayOptions _options = new() { HeartbeatInterval = TimeSpan.FromHours(1) };
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly TaskCompletionSource<AttachReply> _attach = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _detached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _sockets.Client.Abort();
        _sockets.Server.Abort();
        await _running.WaitAsync(Patience);
        _sockets.Dispose();
        await _metrics.DisposeAsync();
    }

    [Fact]
    public async Task AV1Client_IsToldOnce_AndClosedTenSecondsAfterItsDelay()
    {
        var follower = await OpenAsync(WireProfile.V1);
        follower.Depart(DepartureReason.Draining, TimeSpan.FromSeconds(3));
        follower.Depart(DepartureReason.MaxAge, TimeSpan.Zero);

        var told = await NextAsync();
        Assert.Equal(("reconnect", "draining", 3000L), (told.Type(), told.Text("reason"), told.Number("delay_ms")));
        Advance(follower, 12.9);
        Assert.False(follower.IsClosing);
        Advance(follower, 0.2);
        Assert.Equal(CloseCodes.Draining, await ClosedAsync());
    }

    [Fact]
    public async Task AClientThatIsNotAttachedYet_IsToldWhenItIs()
    {
        var follower = Start(WireProfile.V1);
        follower.Depart(DepartureReason.Draining, TimeSpan.Zero);
        _attach.SetResult(Attached);
        Assert.Equal("hello", (await NextAsync()).Type());

        follower.Depart(DepartureReason.Draining, TimeSpan.Zero);
        Assert.Equal("reconnect", (await NextAsync()).Type());
    }

    [Fact]
    public async Task ABasicClientWithNothingOpen_IsClosedAfterItsDelay_SoThatNotAllComeBackAtOnce()
    {
        var follower = await OpenAsync(WireProfile.Basic);
        follower.Depart(DepartureReason.Draining, TimeSpan.FromSeconds(3));
        Advance(follower, 2.9);
        Assert.False(follower.IsClosing);
        Advance(follower, 0.2);
        Assert.Equal(CloseCodes.ServiceRestart, await ClosedAsync());
    }

    [Fact]
    public async Task ABasicClientThatWaitsForItsAnswer_GetsIt_AndIsClosedThen()
    {
        var follower = await OpenAsync(WireProfile.Basic);
        await AskAsync(follower);
        follower.Depart(DepartureReason.Draining, TimeSpan.Zero);
        Advance(follower, 3600);
        Assert.False(follower.IsClosing);
        Assert.True(follower.IsHeldByAnswer);

        var end = new QuestionEnd { Status = QuestionStatus.Completed, Deltas = 1, Bytes = 7, FirstMs = 1, TotalMs = 1 };
        follower.OnEvents(1, [LogEvent.Delta(9, "q", 0, "because"), LogEvent.Done(10, "q", end)]);
        follower.FlushElsewhere();
        Assert.Equal("because", (await NextAsync()).Text("data"));
        Advance(follower, 1);
        Assert.Equal(CloseCodes.ServiceRestart, await ClosedAsync());
    }

    [Fact]
    public async Task AConnectionAsOldAsItMayBe_Leaves_AfterNineTenthsAtTheEarliest()
    {
        _options.MaxConnectionAge = TimeSpan.FromSeconds(100);
        var follower = await OpenAsync(WireProfile.V1);
        Advance(follower, 89.9);
        Assert.Null(follower.Departure.Reason);
        Advance(follower, 10.2);

        var told = await NextAsync();
        Assert.Equal(("reconnect", "max_age", 0L), (told.Type(), told.Text("reason"), told.Number("delay_ms")));
        Advance(follower, 10.1);
        Assert.Equal(CloseCodes.MaxAge, await ClosedAsync());
    }

    [Fact]
    public async Task ABasicConnectionAsOldAsItMayBe_StaysForItsAnswer_AndTellsItsSessionThatItIsGone()
    {
        _options.MaxConnectionAge = TimeSpan.FromSeconds(100);
        var follower = await OpenAsync(WireProfile.Basic);
        await AskAsync(follower);
        Advance(follower, 101);
        Assert.False(follower.IsClosing);

        var end = new QuestionEnd { Status = QuestionStatus.Completed, Deltas = 1, Bytes = 7, FirstMs = 1, TotalMs = 1 };
        follower.OnEvents(1, [LogEvent.Delta(9, "q", 0, "because"), LogEvent.Done(10, "q", end)]);
        follower.FlushElsewhere();
        Assert.Equal("because", (await NextAsync()).Text("data"));
        Advance(follower, 1);
        Assert.Equal(CloseCodes.ServiceRestart, await ClosedAsync());
        await _sockets.Client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await _detached.Task.WaitAsync(Patience);
    }

    private static AttachReply Attached => new() { Epoch = 1, Seq = 7, Open = [], Responder = "echo" };

    private void Advance(Follower follower, double seconds)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        follower.OnTick(_clock.GetTimestamp());
    }

    private async Task<Follower> OpenAsync(WireProfile profile)
    {
        var follower = Start(profile);
        _attach.SetResult(Attached);
        if (profile == WireProfile.V1)
        {
            Assert.Equal("hello", (await NextAsync()).Type());
        }

        await Eventually.TrueAsync(() => follower.IsAttached, "the socket is attached");
        return follower;
    }

    private Follower Start(WireProfile profile)
    {
        var session = Stub.Of<ISessionGrain>((method, _) => method.Name switch
        {
            nameof(ISessionGrain.AttachAsync) => _attach.Task,
            nameof(ISessionGrain.AskAsync) => Ask(),
            nameof(ISessionGrain.DetachAsync) => Detach(),
            _ => Task.CompletedTask,
        });
        var services = FollowerTestServices.Create(session, _registry, _metrics, _clock, _options);
        var connection = new SocketConnection(_sockets.Server, new(SessionAccess.Own(CallerIdentity.Local), "s", profile, null), services);
        _running = connection.RunAsync();
        return connection.Follower;
    }

    private async Task AskAsync(Follower follower)
    {
        await _sockets.Client.SendAsync("""{"question":"why","id":"q"}"""u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        await _asked.Task.WaitAsync(Patience);
        follower.OnEvents(1, [LogEvent.Accepted(8, "q", "why", 0)]);
        await Eventually.TrueAsync(() => follower.IsHeldByAnswer, "the socket waits for its answer");
    }

    private Task<AskReply> Ask()
    {
        _asked.TrySetResult();
        return Task.FromResult(new AskReply { Outcome = AskOutcome.Accepted, QuestionId = "q", Epoch = 1, Seq = 8 });
    }

    private Task Detach()
    {
        _detached.TrySetResult();
        return Task.CompletedTask;
    }

    private Task<JsonElement> NextAsync() => MemorySockets.NextAsync(_sockets.Client, Patience);

    private async Task<int> ClosedAsync()
    {
        var result = await _sockets.Client.ReceiveAsync(new byte[1024], CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(WebSocketMessageType.Close, result.MessageType);
        return (int)_sockets.Client.CloseStatus!.Value;
    }
}
