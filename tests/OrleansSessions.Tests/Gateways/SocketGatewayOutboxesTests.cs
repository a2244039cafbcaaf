using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Streams;
using OrleansSessions.Clustering;
using OrleansSessions.Stores;
using OrleansSessions.Gateways;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
using OrleansSessions.SocketGateway.Feed;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Gateways;

/// <summary>What one silo does with the registry's lists. The registry, the streams and the clock are the test's.</summary>
public sealed class SocketGatewayOutboxesTests : IAsyncLifetime
{
    private static readonly SiloAddress Silo = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress Other = SiloAddress.New(IPAddress.Loopback, 2, 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly ConcurrentQueue<(string Gateway, GatewayItem Item)> _sent = new();
    private readonly ServiceProvider _services;
    private readonly SocketGatewayOutboxes _outboxes;
    private ILifecycleObserver? _life;
    private SocketGatewayList _list = new() { Entries = [] };
    private bool _isUnreachable;
    private int _asked;

    public SocketGatewayOutboxesTests()
    {
        var streams = Stub.Of<IStreamProvider>((method, arguments) => method.Name == nameof(IStreamProvider.GetStream)
            ? StreamTo(((StreamId)arguments[0]!).GetKeyAsString())
            : throw new NotSupportedException(method.Name));
        _services = new ServiceCollection().AddKeyedSingleton(GatewayStreams.ProviderName, streams).BuildServiceProvider();
        var registry = Stub.Of<ISocketGatewayRegistryGrain>((_, _) =>
        {
            Interlocked.Increment(ref _asked);
            return _isUnreachable ? Task.FromException<SocketGatewayList>(new TimeoutException()) : Task.FromResult(_list);
        });
        var members = System.Collections.Immutable.ImmutableDictionary<SiloAddress, ClusterMember>.Empty
            .Add(Silo, new(Silo, SiloStatus.Active, "one")).Add(Other, new(Other, SiloStatus.Dead, "two"));
        var snapshot = new ClusterMembershipSnapshot(members, new MembershipVersion(3));
        _outboxes = new(
            _services, Stub.Of<IGrainFactory>((_, _) => registry),
            new ClusterView(Stub.Of<ILocalSiloDetails>((_, _) => Silo), Stub.Of<IClusterMembershipService>((_, _) => snapshot), new Drain()),
            new StoreHealth(_clock, NullLogger<StoreHealth>.Instance), _clock, NullLogger<SocketGatewayOutboxes>.Instance);
        _outboxes.Participate(Stub.Of<ISiloLifecycle>((_, arguments) =>
        {
            _life = arguments.OfType<ILifecycleObserver>().Single();
            return null;
        }));
    }

    public async ValueTask InitializeAsync() => await _life!.OnStart(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _life!.OnStop(CancellationToken.None);
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task AListedGateway_IsSentHeartbeats_WithTheMembershipAndTheLastNumber()
    {
        await ListAsync(isSettled: true, ("g", null));
        await SendAwakeAsync("g");
        await BeatAsync();

        var beat = _sent.Last(sent => sent.Gateway == "g").Item;
        Assert.Equal(GatewayItemKind.Heartbeat, beat.Kind);
        Assert.Equal((1, 3), (beat.Number, beat.MembershipVersion));
        Assert.Equal([Silo], beat.ActiveSilos);
    }

    [Fact]
    public async Task AFreshRegistry_RemovesNobody()
    {
        await ListAsync(isSettled: true, ("g", null));
        await ListAsync(isSettled: false);
        await BeatsAsync(SocketGatewayRegistry.Lease * 2);
        Assert.True(_outboxes.IsLive("g"));
    }

    [Fact]
    public async Task AnUnreachableRegistry_RemovesNobody()
    {
        await ListAsync(isSettled: true, ("g", null));
        _isUnreachable = true;
        await BeatsAsync(SocketGatewayRegistry.Lease * 2);
        Assert.True(_outboxes.IsLive("g"));
    }

    [Fact]
    public async Task AGatewayThatCalledBeforeItWasListed_HasOneLease()
    {
        _outboxes.Get("early");
        await ListAsync(isSettled: true);
        Assert.True(_outboxes.IsLive("early"));
        await BeatsAsync(SocketGatewayRegistry.Lease + TimeSpan.FromSeconds(2));
        Assert.False(_outboxes.IsLive("early"));
    }

    [Fact]
    public async Task AGatewayWhoseLeaseEnded_IsClosed_AndIsSentNothingMore()
    {
        await ListAsync(isSettled: true, ("g", null));
        var outbox = _outboxes.Get("g");
        await BeatsAsync(SocketGatewayRegistry.Lease + TimeSpan.FromSeconds(2));
        await ListAsync(isSettled: true);
        Assert.True(outbox.IsClosed);
        var before = _sent.Count;
        await outbox.SendAsync("/s", static (session, silo, number) => GatewayItem.Awake(silo, number, session, 1, 1));
        await BeatAsync();

        Assert.Equal(before, _sent.Count);
        Assert.DoesNotContain(outbox, _outboxes.Live);
    }

    [Fact]
    public async Task AGatewayThatReturns_IsSentHigherNumbers_SoThatEachOfThemShowsTheHole()
    {
        await ListAsync(isSettled: true, ("g", null));
        await SendAwakeAsync("g");
        var heartbeats = new SiloHeartbeats(_clock, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));
        Assert.All(_sent, sent => Assert.False(heartbeats.OnItem(sent.Item)));
        await BeatsAsync(SocketGatewayRegistry.Lease + TimeSpan.FromSeconds(2));
        await ListAsync(isSettled: true);
        Assert.False(_outboxes.IsLive("g"));
        _sent.Clear();

        await SendAwakeAsync("g");
        await SendAwakeAsync("g");

        // The first item of the new outbox is lost.
        Assert.True(heartbeats.OnItem(_sent.Where(sent => sent.Item.Kind == GatewayItemKind.Awake).Last().Item));
    }

    [Fact]
    public async Task AGatewayThatReturns_AndWasNeverSentAnything_SeesTheHole()
    {
        await ListAsync(isSettled: true, ("g", null));
        var heartbeats = new SiloHeartbeats(_clock, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));
        Assert.All(_sent, sent => Assert.False(heartbeats.OnItem(sent.Item)));
        await BeatsAsync(SocketGatewayRegistry.Lease + TimeSpan.FromSeconds(2));
        await ListAsync(isSettled: true);
        _sent.Clear();

        await ListAsync(isSettled: true, ("g", null));

        Assert.True(heartbeats.OnItem(_sent.First().Item));
        Assert.False(heartbeats.OnItem(_sent.Last().Item));
    }

    [Fact]
    public async Task AGatewayBesideALostSilo_IsClosedWithTheNextList_ThoughTheRegistryStillListsIt()
    {
        _outboxes.Get("beside a dead one").Host = Other;
        await ListAsync(isSettled: false, ("beside a dead one", Other), ("beside a live one", Silo));

        Assert.False(_outboxes.IsLive("beside a dead one"));
        Assert.True(_outboxes.IsLive("beside a live one"));
        var latest = _outboxes.LatestOrdinal;
        await BeatAsync();
        Assert.Equal(latest, _outboxes.LatestOrdinal);
    }

    [Fact]
    public async Task SocketsOfAGatewayThatIsGone_AreNotCounted()
    {
        await ListAsync(isSettled: true, ("g", null), ("gone", null));
        var (session, log) = (new SubscribedGateways(_outboxes, new SessionItems("/s", NullLogger.Instance)), new SessionLog(1));
        session.Subscribe(log, "g");
        session.SetConnections("g", 2, 1);
        session.Subscribe(log, "gone");
        session.SetConnections("gone", 3, 1);
        Assert.Equal(5, session.Connections);
        await BeatsAsync(SocketGatewayRegistry.Lease + TimeSpan.FromSeconds(2));

        await ListAsync(isSettled: true, ("g", null));
        Assert.Equal((2, true), (session.Connections, session.HasAny));
        await ListAsync(isSettled: true);
        Assert.Equal((0, false), (session.Connections, session.HasAny));
    }

    [Fact]
    public async Task AGatewayBesideASilo_LivesAsLongAsMembershipHasThatSilo()
    {
        await ListAsync(isSettled: true, ("beside a live one", Silo), ("beside a dead one", Other));
        await BeatsAsync(SocketGatewayRegistry.Lease * 2);
        await ListAsync(isSettled: true);

        Assert.True(_outboxes.IsLive("beside a live one"));
        Assert.False(_outboxes.IsLive("beside a dead one"));
    }

    [Fact]
    public async Task ASessionThatWakesBeforeTheFirstList_IsAnnounced_OnceThereIsOne()
    {
        var session = new SubscribedGateways(_outboxes, new SessionItems("/s", NullLogger.Instance));
        session.Announce(new SessionLog(1), null);
        Assert.Empty(_sent);

        await ListAsync(isSettled: true, ("g", null));

        await Eventually.TrueAsync(() => Awakened("g") == 1, "the socket gateway hears that the session is awake");
    }

    [Fact]
    public async Task ASessionThatHasLeft_IsNotAnnounced()
    {
        var session = new SubscribedGateways(_outboxes, new SessionItems("/s", NullLogger.Instance));
        session.Announce(new SessionLog(1), null);
        session.PublishLast();
        await ListAsync(isSettled: true, ("g", null));
        await BeatAsync();

        Assert.Equal(0, Awakened("g"));
    }

    [Fact]
    public async Task ASession_IsAnnouncedOnce_ToEachGatewayThatItsSiloLearnsOfLater()
    {
        await ListAsync(isSettled: false, ("early", null));
        var (session, log) = (new SubscribedGateways(_outboxes, new SessionItems("/s", NullLogger.Instance)), new SessionLog(1));
        session.Subscribe(log, "follower");
        session.Announce(log, "caller");
        await ListAsync(isSettled: false, ("early", null), ("late", null));
        session.Announce(log, null);
        await ListAsync(isSettled: false, ("early", null), ("late", null), ("later", null));
        session.Publish();
        session.Publish();

        Assert.Equal((1, 1, 1, 0), (Awakened("early"), Awakened("late"), Awakened("later"), Awakened("follower")));
    }

    [Fact]
    public async Task AnActivationThatLeaves_SaysSo_AfterTheRestOfItsLog()
    {
        await ListAsync(isSettled: true, ("g", null));
        var (session, log) = (new SubscribedGateways(_outboxes, new SessionItems("/s", NullLogger.Instance)), new SessionLog(1));
        session.Subscribe(log, "g");
        log.AppendAccepted(new Question("q", "why", default));
        log.ReleaseTo(1);
        session.PublishLast();

        var items = _sent.Where(sent => sent.Gateway == "g").Select(sent => sent.Item).Where(item => item.Kind != GatewayItemKind.Heartbeat).ToList();
        Assert.Equal([(GatewayItemKind.Events, 1), (GatewayItemKind.Asleep, 0)], items.ConvertAll(item => (item.Kind, item.Events.Length)));
    }

    private Task SendAwakeAsync(string gateway) =>
        _outboxes.Get(gateway).SendAsync("/s", static (session, silo, number) => GatewayItem.Awake(silo, number, session, 1, 1));

    private int Awakened(string gateway) => _sent.Count(sent => sent.Gateway == gateway && sent.Item is { Kind: GatewayItemKind.Awake, SessionKey: "/s" });

    private Task ListAsync(bool isSettled, params (string Gateway, SiloAddress? Host)[] entries)
    {
        _list = new() { Entries = [.. entries.Select(entry => new SocketGatewayEntry { Gateway = entry.Gateway, Host = entry.Host })], IsSettled = isSettled };
        return BeatAsync();
    }

    private async Task BeatsAsync(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            await BeatAsync();
        }
    }

    /// <summary>Two rounds: the first may have begun before the test's last change.</summary>
    private async Task BeatAsync()
    {
        for (var round = 0; round < 2; round++)
        {
            var before = Volatile.Read(ref _asked);
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Eventually.TrueAsync(() => Volatile.Read(ref _asked) > before, "the registry is asked");
        }
    }

    private IAsyncStream<GatewayItem> StreamTo(string gateway) => Stub.Of<IAsyncStream<GatewayItem>>((_, arguments) =>
    {
        _sent.Enqueue((gateway, (GatewayItem)arguments[0]!));
        return Task.CompletedTask;
    });
}
