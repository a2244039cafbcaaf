using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Streams;
using OrleansSessions.Gateways;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Feed;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>A process and its subscription, when the calls for it fail. The stream is a list of subscriptions, as the cluster would keep it.</summary>
public sealed class GatewayFeedServiceTests : IAsyncLifetime
{
    private static readonly SiloAddress Silo = SiloAddress.New(IPAddress.Loopback, 1, 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly ConcurrentDictionary<Guid, bool> _subscriptions = new();
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly ServiceProvider _clusterServices;
    private readonly SiloHeartbeats _silos;
    private readonly SessionReattacher _reattacher;
    private readonly GatewayFeedService _service;
    private volatile bool _isRegistryOut;
    private int _failingUnsubscribes;
    private int _lateSubscribes;
    private int _leases;

    public GatewayFeedServiceTests()
    {
        var stream = Stub.Of<IAsyncStream<GatewayItem>>((method, _) => method.Name switch
        {
            nameof(IAsyncStream<GatewayItem>.SubscribeAsync) => Subscribe(),
            nameof(IAsyncStream<GatewayItem>.GetAllSubscriptionHandles) =>
                Task.FromResult<IList<StreamSubscriptionHandle<GatewayItem>>>([.. _subscriptions.Keys.Select(id => new Handle(id, this))]),
            _ => throw new NotSupportedException(method.Name),
        });
        var streams = Stub.Of<IStreamProvider>((_, _) => stream);
        _clusterServices = new ServiceCollection().AddKeyedSingleton(GatewayStreams.ProviderName, streams).BuildServiceProvider();
        var registry = Stub.Of<ISocketGatewayRegistryGrain>((method, _) =>
        {
            Interlocked.Increment(ref _leases);
            return _isRegistryOut ? Task.FromException(new TimeoutException()) : Task.CompletedTask;
        });
        var cluster = Stub.Of<IClusterClient>((method, _) => method.Name == "get_ServiceProvider" ? _clusterServices : registry);
        _silos = new(_clock, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));
        var connections = new FollowerRegistry();
        var metrics = _metrics.GetRequiredService<SocketGatewayMetrics>();
        _reattacher = new(
            FollowerTestServices.Grains(cluster), connections, metrics, Options.Create(new SocketGatewayOptions()), _clock,
            NullLogger<SessionReattacher>.Instance);
        var feed = new GatewayFeed(connections, _silos, _reattacher, FollowerTestServices.Store(_clock), _clock, NullLogger<GatewayFeed>.Instance);
        _service = new(new(cluster, feed, new(null)), _silos, _reattacher, metrics, _clock, NullLogger<GatewayFeedService>.Instance);
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _service.StopAsync(CancellationToken.None);
        _service.Dispose();
        _reattacher.Dispose();
        await _metrics.DisposeAsync();
        await _clusterServices.DisposeAsync();
    }

    [Fact]
    public async Task AnUnsubscribeThatFails_IsTriedAgain_UntilOneSubscriptionIsLeft()
    {
        await StartAsync();
        var first = _subscriptions.Keys.Single();
        _failingUnsubscribes = 2;
        await LoseTheSiloAsync();
        await TickUntilOneIsLeftAsync();
        Assert.DoesNotContain(first, _subscriptions.Keys);
    }

    [Fact]
    public async Task ASubscribeThatTimedOutButTookEffect_LeavesOneSubscription()
    {
        _lateSubscribes = 2;
        await StartAsync();
        await TickUntilOneIsLeftAsync();
        _lateSubscribes = 1;
        await LoseTheSiloAsync();
        await TickUntilOneIsLeftAsync();
    }

    [Fact]
    public async Task Stopping_EndsEverySubscription_EvenIfTheRegistryDoesNotAnswer()
    {
        await StartAsync();
        _failingUnsubscribes = 1;
        await LoseTheSiloAsync();
        _failingUnsubscribes = 0;
        _isRegistryOut = true;
        await _service.StopAsync(CancellationToken.None);

        Assert.Empty(_subscriptions);
    }

    private async Task StartAsync()
    {
        await _service.StartAsync(CancellationToken.None);
        await TickUntilAsync(() => Volatile.Read(ref _leases) > 0, "the process is listed");
    }

    /// <summary>Waits until the subscription was renewed because of the lost silo.</summary>
    private async Task LoseTheSiloAsync()
    {
        HearTheSilo();
        var known = _subscriptions.Keys.ToHashSet();
        await TickUntilAsync(() => _subscriptions.Keys.Any(id => !known.Contains(id)), "the subscription is renewed");
    }

    private Task TickUntilOneIsLeftAsync() => TickUntilAsync(
        () =>
        {
            HearTheSilo();
            return _subscriptions.Count == 1 && _failingUnsubscribes == 0;
        },
        "one subscription is left");

    private void HearTheSilo()
    {
        var beat = GatewayItem.Heartbeat(Silo, 0, 1, [Silo]);
        _silos.OnItem(beat);
        _silos.OnMembership(beat);
    }

    private Task TickUntilAsync(Func<bool> condition, string expectation) => Eventually.TrueAsync(
        () =>
        {
            _clock.Advance(TimeSpan.FromMilliseconds(500));
            return condition();
        },
        expectation);

    private Task<StreamSubscriptionHandle<GatewayItem>> Subscribe()
    {
        var handle = new Handle(Guid.NewGuid(), this);
        _subscriptions[handle.HandleId] = true;
        return Interlocked.Decrement(ref _lateSubscribes) >= 0
            ? Task.FromException<StreamSubscriptionHandle<GatewayItem>>(new TimeoutException())
            : Task.FromResult<StreamSubscriptionHandle<GatewayItem>>(handle);
    }

    private sealed class Handle(Guid id, GatewayFeedServiceTests owner) : StreamSubscriptionHandle<GatewayItem>
    {
        public override StreamId StreamId => StreamId.Create(GatewayStreams.Namespace, "g");

        public override string ProviderName => GatewayStreams.ProviderName;

        public override Guid HandleId => id;

        public override Task UnsubscribeAsync()
        {
            if (owner._failingUnsubscribes > 0)
            {
                owner._failingUnsubscribes--;
                return Task.FromException(new TimeoutException());
            }

            owner._subscriptions.TryRemove(id, out _);
            return Task.CompletedTask;
        }

        public override Task<StreamSubscriptionHandle<GatewayItem>> ResumeAsync(IAsyncObserver<GatewayItem> observer, StreamSequenceToken? token = null) =>
            throw new NotSupportedException();

        public override Task<StreamSubscriptionHandle<GatewayItem>> ResumeAsync(IAsyncBatchObserver<GatewayItem> observer, StreamSequenceToken? token = null) =>
            throw new NotSupportedException();

        public override bool Equals(StreamSubscriptionHandle<GatewayItem>? other) => other?.HandleId == id;
    }
}
