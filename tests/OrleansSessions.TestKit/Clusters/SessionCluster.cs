using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;
using OrleansSessions.Clustering;
using OrleansSessions.Grains;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.Stores;
using OrleansSessions.TestKit.Responders;

namespace OrleansSessions.TestKit.Clusters;

/// <summary>A small in-process cluster: session grains, a responder and a clock that the test controls, and an external client.</summary>
public sealed class SessionCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;

    private SessionCluster(InProcessTestCluster cluster, JumpingClock clock, ScriptedResponder responder)
    {
        _cluster = cluster;
        Clock = clock;
        Responder = responder;
    }

    /// <summary>The clock of the grains.</summary>
    public JumpingClock Clock { get; }

    public ScriptedResponder Responder { get; }

    public InProcessTestCluster Orleans => _cluster;

    /// <param name="responderName">The name of the responder. Default: the scripted responder.</param>
    /// <param name="isStored">If true, sessions have a grain storage, in memory but outside the activations.</param>
    public static async Task<SessionCluster> StartAsync(
        short silos = 1, string responderName = "scripted", bool isStored = false, Action<SessionsOptions>? configure = null,
        Action<ISiloBuilder>? configureSilo = null)
    {
        var clock = new JumpingClock();
        var responder = new ScriptedResponder();
        var builder = new InProcessTestClusterBuilder(silos);

        // The log files would be in the current folder, which is the repository where a program of it is run.
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.Grains, clock.Time);
            silo.Services.Configure<DrainOptions>(drain => drain.Timeout = TimeSpan.Zero);
            silo.Services.AddSingleton(responder);
            silo.Services.AddResponder<ScriptedResponder>("scripted");
            silo.Services.Configure<ResponderOptions>(options => options.Name = responderName);
            silo.Services.Configure<SessionsOptions>(options => configure?.Invoke(options));
            if (isStored)
            {
                silo.AddMemoryGrainStorage(SessionsOptions.StorageName);
            }

            configureSilo?.Invoke(silo);
            silo.AddSessionGrains();
        });
        builder.ConfigureClient(client => client.AddSessionStreams());
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new SessionCluster(cluster, clock, responder);
    }

    public ISessionGrain Session(string id) => _cluster.Client.GetGrain<ISessionGrain>("/" + id);

    /// <summary>
    /// Waits until every silo knows whether it can write the store of the sessions. It is back only where no call that failed is still to be looked into.
    /// </summary>
    public Task StoreIsAsync(bool isAway) => Eventually.TrueAsync(
        () => _cluster.Silos.Select(silo => silo.ServiceProvider.GetRequiredService<StoreHealth>()).All(store => isAway ? store.IsAway : !store.IsInDoubt),
        $"the store is {(isAway ? "away" : "back")}");

    /// <summary>Deactivates all idle grains, as happens over time.</summary>
    public async Task HibernateAsync() =>
        await _cluster.Client.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await Clock.DisposeAsync();
    }
}
