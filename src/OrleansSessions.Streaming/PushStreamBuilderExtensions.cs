using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Streams;
using OrleansSessions.Streaming.Queues;

namespace OrleansSessions.Streaming;

/// <summary>Adds push streams to silos and to clients.</summary>
public static class PushStreamBuilderExtensions
{
    /// <summary>
    /// Adds a stream provider that hands what a silo produces straight to the subscribers, wherever they are. Items are kept in the producing silo's memory only:
    /// they are lost with it. The silo needs a grain storage called <c>PubSubStore</c>. Safe to call again: the provider is added once, every <paramref name="configure"/> counts.
    /// </summary>
    public static ISiloBuilder AddPushStreams(this ISiloBuilder builder, string name, Action<PushStreamOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!builder.Services.TryAddProvider(name, configure))
        {
            return builder;
        }

        return builder.AddPersistentStreams(name, PushAdapterFactory.Create, streams =>
        {
            streams.ConfigureStreamPubSub(StreamPubSubType.ExplicitGrainBasedOnly);
            streams.ConfigurePartitionBalancing((_, _) => new LocalQueueBalancer());
            streams.ConfigurePullingAgent(agent => agent.Configure<IOptionsMonitor<PushStreamOptions>>((pulling, push) => Apply(push.Get(name), pulling)));
        });
    }

    /// <summary>
    /// Adds the same provider to a client outside the cluster, which may subscribe but not produce: there, <c>OnNextAsync</c> throws <see cref="NotSupportedException"/>.
    /// Safe to call again.
    /// </summary>
    public static IClientBuilder AddPushStreams(this IClientBuilder builder, string name, Action<PushStreamOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!builder.Services.TryAddProvider(name, configure))
        {
            return builder;
        }

        return builder.AddPersistentStreams(
            name,
            static (_, provider) => new ClientAdapterFactory(provider),
            static streams => streams.ConfigureStreamPubSub(StreamPubSubType.ExplicitGrainBasedOnly));
    }

    private static bool TryAddProvider(this IServiceCollection services, string name, Action<PushStreamOptions>? configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (configure is not null)
        {
            services.Configure(name, configure);
        }

        if (services.Any(service => service.ImplementationInstance is Registration known && known.Name == name))
        {
            return false;
        }

        services.AddSingleton(new Registration(name));
        services.AddMetrics();
        services.TryAddSingleton<PushStreamMetrics>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PushStreamOptions>, PushStreamOptionsValidator>());
        services.AddOptions<PushStreamOptions>(name).ValidateOnStart();
        return true;
    }

    private static void Apply(PushStreamOptions push, StreamPullingAgentOptions pulling)
    {
        // Agents wait inside the read, so the period only counts after a stream's registration. Zero would keep them from starting at all.
        pulling.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(1);
        pulling.BatchContainerBatchSize = push.BatchSize;
        pulling.MaxEventDeliveryTime = push.MaxDeliveryTime;
    }

    private sealed record Registration(string Name);
}
