using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Clustering;

/// <summary>Adds the drain to a host.</summary>
internal static class DrainExtensions
{
    /// <summary>Adds the drain, and gives the host the time for it. Safe to call twice.</summary>
    public static IServiceCollection AddDrain(this IServiceCollection services)
    {
        services.TryAddKeyedSingleton(TimeProviderNames.SystemTimers, TimeProvider.System);
        services.TryAddSingleton<ClusterEviction>();
        services.TryAddSingleton<Drain>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, DrainService>());
        services.AddOptions<HostOptions>().PostConfigure<IOptions<DrainOptions>>(static (host, drain) =>
        {
            var needed = drain.Value.Timeout + DrainOptions.StopTime;
            host.ShutdownTimeout = host.ShutdownTimeout > needed ? host.ShutdownTimeout : needed;
        });
        return services;
    }
}
