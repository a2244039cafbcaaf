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
    /// Adds a stream provider that delivers items from the producing silo directly to the subscribers, wherever they are. Items are kept
    /// only in the memory of the producing silo and are lost with it. The silo needs a grain storage named <c>PubSubStore</c>.
    /// Safe to call more than once: the provider is added once, and every <paramref name="configure"/> is applied.
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
    /// Adds the same provider to a client outside the cluster. The client can subscribe but not produce: its <c>OnNextAsync</c> throws
    /// <see cref="NotSupportedException"/>. Safe to call more than once.
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
        // Agents wait inside the read, so this period matters only after a stream is registered. Zero would prevent the agents from starting.
        pulling.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(1);
        pulling.BatchContainerBatchSize = push.BatchSize;
        pulling.MaxEventDeliveryTime = push.MaxDeliveryTime;
    }

    private sealed record Registration(string Name);
}
