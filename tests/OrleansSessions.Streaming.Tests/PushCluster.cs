using Microsoft.Extensions.DependencyInjection;
using Orleans.Providers;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;
using Orleans.TestingHost;
using OrleansSessions.Streaming.Queues;

namespace OrleansSessions.Streaming.Tests;

/// <summary>Silos and an external client with one push stream provider. The provider's name is unique, so that metrics of parallel tests do not mix.</summary>
internal sealed class PushCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;

    private PushCluster(InProcessTestCluster cluster, string provider)
    {
        _cluster = cluster;
        Provider = provider;
    }

    public string Provider { get; }

    public InProcessTestCluster Cluster => _cluster;

    public static async Task<PushCluster> StartAsync(
        Action<PushStreamOptions>? configure = null,
        short silos = 1,
        Action<ISiloBuilder>? silo = null)
    {
        var provider = $"push-{Guid.NewGuid():N}";
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, host) =>
        {
            host.AddPushStreams(provider, configure);
            if (silo is null)
            {
                host.AddMemoryGrainStorage("PubSubStore");
            }
            else
            {
                silo(host);
            }
        });
        builder.ConfigureClient(client => client.AddPushStreams(provider, configure));
        var cluster = builder.Build();
        await Deadline.MeetAsync(cluster.DeployAsync(), "the test cluster to start");
        return new PushCluster(cluster, provider);
    }

    /// <summary>Returns the stream for code inside a silo.</summary>
    public IAsyncStream<T> InSilo<T>(string key, int silo = 0) => Stream<T>(Services(silo), key);

    /// <summary>Returns the stream for the client outside the cluster.</summary>
    public IAsyncStream<T> InClient<T>(string key) => Stream<T>(_cluster.Client.ServiceProvider, key);

    public IReadOnlyList<PushQueue> Queues(int silo = 0) =>
        ((PushAdapterFactory)Services(silo).GetRequiredKeyedService<IQueueAdapterFactory>(Provider)).Queues;

    public IServiceProvider Services(int silo = 0) => _cluster.GetSiloServiceProvider(_cluster.Silos[silo].SiloAddress);

    /// <summary>Stops the provider's agents in the first silo, as a silo does when it stops.</summary>
    public Task StopAgentsAsync() => CommandAsync(PersistentStreamProviderCommand.StopAgents);

    public Task StartAgentsAsync() => CommandAsync(PersistentStreamProviderCommand.StartAgents);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private Task<object?> CommandAsync(PersistentStreamProviderCommand command) =>
        Services().GetRequiredKeyedService<IControllable>(Provider).ExecuteCommand((int)command, null!);

    private IAsyncStream<T> Stream<T>(IServiceProvider services, string key) =>
        services.GetRequiredKeyedService<IStreamProvider>(Provider).GetStream<T>(StreamId.Create("tests", key));
}
