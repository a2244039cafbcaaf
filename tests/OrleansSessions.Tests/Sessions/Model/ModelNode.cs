using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Storage;
using Orleans.Streams;
using OrleansSessions.Clustering;
using OrleansSessions.Gateways;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Grains.States;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;
using OrleansSessions.Tests.SocketGateway;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>One process: all that the session's grain shares with others of its silo, and the activation if it is there.</summary>
internal sealed class ModelNode
{
    private static readonly SessionMetrics Metrics = new(
        new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>(), TimeProvider.System);

    private static readonly SiloAddress Silo = SiloAddress.New(IPAddress.Loopback, 1, 1);

    private readonly SessionServices _sessions;
    private readonly SessionStores _stores;
    private readonly SocketGatewayOutboxes _outboxes;
    private readonly ActiveResponder _active;
    private readonly UnaskedSessions _unasked;

    /// <param name="number">Which process of its case it is. Two that begin an epoch at the same time must not begin the same one.</param>
    /// <param name="responder">Its type is null where answers come from outside.</param>
    /// <param name="onItem">Called for what it sends to a socket gateway.</param>
    public ModelNode(
        int number, SessionsOptions options, ModelStore store, FakeTimeProvider time, ResponderRegistration responder, RecoveryMode recovery,
        Action<string, GatewayItem> onItem)
    {
        Time = time;
        Store = store;
        Responder = new ModelResponder(recovery);
        Services[typeof(ModelResponder)] = Responder;
        Services[typeof(IGrainStorage)] = store.Of(this);
        Services[typeof(IStreamProvider)] = Stub.Of<IStreamProvider>((_, args) => StreamTo(((StreamId)args[0]!).GetKeyAsString(), onItem));
        var sessionOptions = Options.Create(options);

        // The anonymous scope has no limits, so the session asks no one for them.
        var cluster = new ClusterView(Stub.Of<ILocalSiloDetails>((_, _) => Silo), null!, new Drain());
        _sessions = new SessionServices(sessionOptions, Metrics, new LocalSessions(new ClusterEviction(), cluster), null!, new(new ClusterEviction(), new(time, NullLogger<StoreHealth>.Instance), time), time) { EpochOffset = number };
        var health = new StoreHealth(time, NullLogger<StoreHealth>.Instance);
        Watch = new StoreWatch(health, time) { Scheduler = Turns.ToScheduler() };
        _stores = new SessionStores(new StoredStates(sessionOptions, null!, Watch, Services), new ParkedSessions(sessionOptions, time), ModelStore.Forms);
        _outboxes = new SocketGatewayOutboxes(
            Services, null!, cluster, health, time, NullLogger<SocketGatewayOutboxes>.Instance);
        _active = new ActiveResponder(Options.Create(new ResponderOptions { Name = responder.Name }), [responder], Services)
        {
            Scheduler = Turns.ToScheduler(),
        };
        _unasked = new UnaskedSessions(sessionOptions, time);
    }

    public ServiceTable Services { get; } = new();

    public Turns Turns { get; } = new();

    public FakeTimeProvider Time { get; }

    public ModelStore Store { get; }

    public ModelResponder Responder { get; }

    public StoreWatch Watch { get; }

    /// <summary>The activation of the session, or null.</summary>
    public ModelActivation? Activation { get; private set; }

    /// <summary>The faults that calls and activations ended with.</summary>
    public List<Exception> Faults { get; } = [];

    public void NoteFault(Exception fault) => Faults.Add(fault);

    public SessionGrain CreateGrain() => new(_sessions, _stores, _outboxes, _active, _unasked, NullLogger<SessionGrain>.Instance);

    public void Call(ModelCall call)
    {
        if (Activation is null)
        {
            // No two activations begin in the same microsecond.
            Time.Advance(TimeSpan.FromMilliseconds(1));
            Activation = new ModelActivation(this);
        }

        Activation.Add(call);
    }

    /// <summary>Runs until nothing more happens by itself. Calls of the store go on unless it holds them.</summary>
    public void Run()
    {
        for (var rounds = 0; ; rounds++)
        {
            if (rounds > 100_000)
            {
                throw new InvalidOperationException("The process never comes to rest.");
            }

            Turns.Run();
            if (Activation is { IsGone: true } gone)
            {
                Activation = null;
                gone.TakeWaiting().ForEach(Call);
                continue;
            }

            if (Activation?.Advance() == true)
            {
                continue;
            }

            if (Responder.Running.Count(answer => answer.IsCancelled) > 2 || Activation is { IsLeaving: true })
            {
                Responder.StopCancelled();
                if (!Turns.IsEmpty)
                {
                    continue;
                }
            }

            if (!Store.IsHeld && Store.PendingOf(this).FirstOrDefault() is { } call)
            {
                Store.Finish(call);
            }
            else if (Turns.IsEmpty)
            {
                return;
            }
        }
    }

    private static IAsyncStream<GatewayItem> StreamTo(string gateway, Action<string, GatewayItem> onItem) =>
        Stub.Of<IAsyncStream<GatewayItem>>((method, args) =>
        {
            if (method.Name != "OnNextAsync")
            {
                throw new NotSupportedException(method.Name);
            }

            onItem(gateway, (GatewayItem)args[0]!);
            return Task.CompletedTask;
        });
}
