using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Streams;
using OrleansSessions.Gateways;
using OrleansSessions.Log;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Feed;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>What a process does when items are lost, without a cluster: sockets and grains are fakes that record their calls.</summary>
public sealed class GatewayFeedTests : IAsyncLifetime
{
    private static readonly SiloAddress A = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress B = SiloAddress.New(IPAddress.Loopback, 2, 1);
    private static readonly SiloAddress C = SiloAddress.New(IPAddress.Loopback, 3, 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly FollowerRegistry _registry = new();
    private readonly ConcurrentQueue<string> _calls = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly SessionReattacher _reattacher;
    private readonly GatewayFeed _feed;
    private int _failingAttaches;

    public GatewayFeedTests()
    {
        var grains = Stub.Of<IGrainFactory>((_, arguments) => Session((string)arguments[0]!));
        _reattacher = new(
            FollowerTestServices.Grains(grains), _registry, _services.GetRequiredService<SocketGatewayMetrics>(), Options.Create(new SocketGatewayOptions()), _clock,
            NullLogger<SessionReattacher>.Instance);
        _feed = new(
            _registry, new SiloHeartbeats(_clock, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)), _reattacher, FollowerTestServices.Store(_clock), _clock,
            NullLogger<GatewayFeed>.Instance);
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _reattacher.StopAsync(CancellationToken.None);
        _reattacher.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task News_GoesToItsSessionAlone_AndIsFlushed()
    {
        var (one, other) = (Hold("/one"), Hold("/other"));
        await FeedAsync(Events(1, "/one"), Events(2, "/one"));

        Assert.Equal(["events 1", "events 2"], one.Told);
        Assert.True(one.IsFlushed);
        Assert.Empty(other.Told);
    }

    [Fact]
    public async Task AHoleInTheItemsNumbers_AttachesAllSessionsAgain_WaitingOnesFirst()
    {
        var idle = Hold("/idle");
        var waiting = Hold("/waiting");
        waiting.IsWaiting = true;
        await FeedAsync(Events(1, "/idle"), Events(3, "/idle"));
        await RunAsync();

        await Eventually.TrueAsync(() => idle.Told.Contains("head 7") && waiting.Told.Contains("head 7"), "both sockets get the head");
        Assert.Equal(["attach /waiting", "attach /idle"], _calls);
    }

    [Fact]
    public async Task AHeartbeatWithANumberThatNeverCame_AttachesAllSessionsAgain()
    {
        var socket = Hold("/s");
        await FeedAsync(Beat(0), Beat(1));
        await RunAsync();
        await Eventually.TrueAsync(() => socket.Told.Contains("head 7"), "the socket gets the head");
    }

    [Fact]
    public async Task AStreamThatReportsAFault_AttachesAllSessionsAgain()
    {
        var socket = Hold("/s");
        await _feed.OnErrorAsync(new IOException());
        await RunAsync();
        await Eventually.TrueAsync(() => socket.Told.Contains("head 7"), "the socket gets the head");
    }

    [Fact]
    public async Task ASiloThatLeft_AttachesItsSessionsAgain_AndNoOthers()
    {
        Hold("/of-a");
        var orphan = Hold("/of-b");
        await FeedAsync(Events(1, "/of-a", A), Events(1, "/of-b", B), Beat(1, membership: 1, A, B), Beat(1, membership: 2, A));
        await RunAsync();

        await Eventually.TrueAsync(() => orphan.Told.Contains("head 7"), "the socket gets the head");
        Assert.Equal(["attach /of-b"], _calls);
    }

    [Fact]
    public async Task ASessionWhoseSiloIsNotKnown_CountsAsLost_WhenAnySiloLeaves()
    {
        Hold("/of-a");
        var silent = Hold("/silent");
        await FeedAsync(Events(1, "/of-a", A), Beat(1, membership: 1, A, B), Beat(1, membership: 2, A));
        await RunAsync();

        await Eventually.TrueAsync(() => silent.Told.Contains("head 7"), "the socket gets the head");
        Assert.Equal(["attach /silent"], _calls);
    }

    [Fact]
    public async Task ASessionWhoseSiloLeft_IsOfUnknownSilo_UntilItIsHeardAgain()
    {
        var moved = Hold("/moved");
        await FeedAsync(Events(1, "/moved", B), Beat(0, membership: 1, A, B), Beat(0, membership: 2, A));
        await RunAsync();
        await Eventually.TrueAsync(() => moved.Told.Count(told => told == "head 7") == 1, "the socket gets the head");
        await FeedAsync(Beat(0, membership: 3, A, C), Beat(0, membership: 4, A));

        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(10));
                return moved.Told.Count(told => told == "head 7") == 2;
            },
            "the socket gets the head again");
    }

    [Fact]
    public async Task AnAttachThatFails_IsTriedUntilItSucceeds_EvenIfNoOneWaits()
    {
        _failingAttaches = 4;
        var idle = Hold("/idle");
        await FeedAsync(Beat(0, membership: 1, A, B), Beat(0, membership: 2, A));
        await RunAsync();

        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(100));
                return idle.Told.Contains("head 7");
            },
            "the idle socket gets the head");
        Assert.Equal(Enumerable.Repeat("attach /idle", 5), _calls);
    }

    [Fact]
    public async Task AnAttachThatFails_IsNotRepeated_OnceTheSessionHasNoFollowers()
    {
        _failingAttaches = int.MaxValue;
        var gone = Hold("/gone");
        _reattacher.EnqueueAll();
        await RunAsync();
        await Eventually.TrueAsync(() => !_calls.IsEmpty, "the attach is tried");
        _registry.Remove("/gone", gone);
        _failingAttaches = 0;
        var held = Hold("/held");
        var calls = _calls.Count;
        _reattacher.EnqueueAll();

        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(2));
                return held.Told.Contains("head 7");
            },
            "the other session is attached");
        Assert.DoesNotContain("attach /gone", _calls.Skip(calls));
    }

    [Fact]
    public async Task AnActivationThatLeaves_PutsItsSessionToSleep_UntilItIsHeardOrCalled()
    {
        var socket = Hold("/s");
        var other = Hold("/s");
        await FeedAsync(Events(1, "/s"), Last(2, "/s"));
        Assert.True(_registry.Remove("/s", other).IsAsleep);

        await FeedAsync(Events(3, "/s"));
        Assert.False(IsAsleep("/s"));
        await FeedAsync(Last(4, "/s"));
        _registry.Count("/s");
        Assert.False(IsAsleep("/s"));
        await FeedAsync(Last(5, "/s"));
        Hold("/s");
        Assert.False(IsAsleep("/s"));
        await FeedAsync(Last(6, "/s"));
        _registry.NoteAwake("/s");
        Assert.False(IsAsleep("/s"));
        Assert.Equal(["events 1", "events 3"], socket.Told);
    }

    [Fact]
    public async Task AnActivationThatLeaves_IsLateNews_IfTheSessionIsHeardFromAnotherSilo()
    {
        Hold("/s");
        await FeedAsync(Events(1, "/s", B), Last(1, "/s", A));
        Assert.False(IsAsleep("/s"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task AnActivationThatLeaves_IsLateNews_IfLaterItemsOfItsSiloHaveOvertakenIt(long last)
    {
        Hold("/s");
        await FeedAsync(Events(1, "/s"), Events(3, "/s"), Last(last, "/s"), Events(2, "/s"), Last(last, "/s"));
        Assert.False(IsAsleep("/s"));
    }

    [Fact]
    public async Task AnActivationThatLeavesWhileASocketWaits_IsReplacedAtOnce()
    {
        var socket = Hold("/s");
        socket.IsWaiting = true;
        await FeedAsync(Events(1, "/s"), Last(2, "/s"));
        await RunAsync();

        await Eventually.TrueAsync(() => socket.Told.Contains("head 7"), "the socket gets the head");
        Assert.False(IsAsleep("/s"));
    }

    [Fact]
    public async Task AnItemOfALaterKind_IsSkipped_ButItsNumberCounts()
    {
        var held = Hold("/s");
        await FeedAsync(Events(1, "/s"), new GatewayItem { Silo = A, Number = 2, Kind = (GatewayItemKind)9, SessionKey = "/s" }, Events(3, "/s"));
        await RunAsync();

        Assert.Equal(["events 1", "events 3"], held.Told);
        Assert.Empty(_calls);
    }

    [Fact]
    public async Task AnAwakeSession_IsAttached_IfItHasFollowers()
    {
        Hold("/held");
        await FeedAsync(GatewayItem.Awake(A, 1, "/elsewhere", 1, 0), GatewayItem.Awake(A, 2, "/held", 1, 0));
        await RunAsync();
        await Eventually.TrueAsync(() => !_calls.IsEmpty, "a session is attached");
        Assert.Equal(["attach /held"], _calls);
    }

    [Fact]
    public async Task AnItemOfASessionWithoutFollowers_DetachesIt()
    {
        await FeedAsync(Events(1, "/gone"));
        await RunAsync();
        await Eventually.TrueAsync(() => _calls.Contains("detach /gone"), "the session is detached");
    }

    [Fact]
    public async Task AWaitingSessionThatStaysQuiet_IsAttachedAgain_AtIntervalsThatDouble()
    {
        Hold("/idle");
        Hold("/waiting").IsWaiting = true;
        await RunAsync();
        _reattacher.EnqueueQuiet();
        _clock.Advance(TimeSpan.FromSeconds(2.1));
        _reattacher.EnqueueQuiet();
        await Eventually.TrueAsync(() => _calls.Count == 1, "the quiet session is attached again");
        _clock.Advance(TimeSpan.FromSeconds(2.1));
        _reattacher.EnqueueQuiet();
        _clock.Advance(TimeSpan.FromSeconds(2.1));
        _reattacher.EnqueueQuiet();

        await Eventually.TrueAsync(() => _calls.Count == 2, "the quiet session is attached once more");
        Assert.Equal(["attach /waiting", "attach /waiting"], _calls);
    }

    [Fact]
    public async Task AWaitingSessionThatStaysQuiet_ButHasNews_IsAttachedAgainAtTheShortestInterval()
    {
        var socket = Hold("/waiting");
        socket.IsWaiting = socket.IsBehind = true;
        await RunAsync();
        for (var rounds = 1; rounds <= 4; rounds++)
        {
            var expected = rounds;
            await Eventually.TrueAsync(
                () =>
                {
                    // The pause between two batches.
                    _clock.Advance(TimeSpan.FromMilliseconds(10));
                    return socket.Told.Count(static told => told == "head 7") == expected - 1;
                },
                "the last attach has ended");
            _clock.Advance(TimeSpan.FromSeconds(2.1));
            _reattacher.EnqueueQuiet();
            await Eventually.TrueAsync(() => _calls.Count == expected, $"the session is attached {expected} times");
        }
    }

    [Fact]
    public async Task ASocketThatThrows_HoldsUpNoOneElse()
    {
        Hold("/bad").Throws = true;
        var good = Hold("/good");
        await FeedAsync(Events(1, "/bad"), Events(2, "/good"));
        Assert.Equal(["events 2"], good.Told);
    }

    private static GatewayItem Events(long number, string session, SiloAddress? silo = null) =>
        GatewayItem.NewEvents(silo ?? A, number, session, 1, [LogEvent.Delta(number, "q", 0, "x")]);

    private static GatewayItem Last(long number, string session, SiloAddress? silo = null) =>
        GatewayItem.Asleep(silo ?? A, number, session, 1);

    private bool IsAsleep(string session) => _registry.TryFind(session, out var held) && held.IsAsleep;

    private static GatewayItem Beat(long number, long membership = 1, params SiloAddress[] active) => GatewayItem.Heartbeat(A, number, membership, active);

    private Task FeedAsync(params GatewayItem[] items) =>
        _feed.OnNextAsync([.. items.Select(item => new SequentialItem<GatewayItem>(item, null!))]);

    private Task RunAsync() => _reattacher.StartAsync(CancellationToken.None);

    private NotingSocket Hold(string session)
    {
        var socket = new NotingSocket();
        _registry.Add(session, socket, _clock.GetTimestamp());
        return socket;
    }

    private ISessionGrain Session(string key) => Stub.Of<ISessionGrain>((method, _) =>
    {
        var isAttach = method.Name == nameof(ISessionGrain.AttachAsync);
        _calls.Enqueue($"{(isAttach ? "attach" : "detach")} {key}");
        if (isAttach && _failingAttaches > 0)
        {
            _failingAttaches--;
            return Task.FromException<AttachReply>(new TimeoutException("The store is slow."));
        }

        return isAttach ? Task.FromResult(new AttachReply { Epoch = 1, Seq = 7, Open = [], Responder = "echo" }) : Task.CompletedTask;
    });

    private sealed class NotingSocket : IFollower
    {
        public bool IsHeldByAnswer => false;

        public void Depart(DepartureReason reason, TimeSpan delay)
        {
        }

        public void CloseLeaving(bool isEvicted)
        {
        }

        private readonly ConcurrentQueue<string> _told = new();

        public IReadOnlyCollection<string> Told => _told;

        public bool Throws { get; set; }

        public bool IsFlushed { get; private set; }

        public bool IsWaiting { get; set; }

        public bool IsBehind { get; set; }

        public void OnEvents(long epoch, LogEvent[] events)
        {
            if (Throws)
            {
                throw new InvalidOperationException("A bug.");
            }

            _told.Enqueue($"events {events[0].Seq}");
        }

        public void OnRemoved(long epoch) => _told.Enqueue("removed");

        public bool OnHead(long epoch, long seq)
        {
            _told.Enqueue($"head {seq}");
            return IsBehind;
        }

        public void OnTick(long now)
        {
        }

        public void Flush() => IsFlushed = true;

        public void FlushElsewhere() => IsFlushed = true;

        public void Close(int code, string reason, bool dropWaiting = true)
        {
        }
    }
}
