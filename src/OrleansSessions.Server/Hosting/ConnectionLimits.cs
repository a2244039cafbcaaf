using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.Server.Hosting;

/// <summary>Bounds what strangers can hold of the web server without ever asking anything: connections, and the time that each may take.</summary>
internal static class ConnectionLimits
{
    private const string Section = "Kestrel:Limits";

    /// <summary>Longer than proxies keep idle connections, commonly 60 s: the proxy must be the one that closes.</summary>
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Sets Kestrel's limits to what this process can bear; <c>Kestrel:Limits</c> in the configuration overrules each of them.</summary>
    public static void UseConnectionLimits(this WebApplicationBuilder builder, int endpoints)
    {
        builder.Services.TryAddSingleton<DescriptorBudget>();
        builder.Services.AddOptions<KestrelServerOptions>().Configure<DescriptorBudget>((kestrel, descriptors) =>
        {
            // Kestrel counts for each endpoint, and lets go of a connection that has become a WebSocket: those have a limit of their own,
            // which refuses with a word. This one closes without any.
            kestrel.Limits.MaxConcurrentConnections = descriptors.PlainConnections is { } plain ? Math.Max(1, plain / endpoints) : null;
            kestrel.Limits.KeepAliveTimeout = KeepAliveTimeout;
            kestrel.Limits.RequestHeadersTimeout = RequestHeadersTimeout;
            builder.Configuration.GetSection(Section).Bind(kestrel.Limits);
        });

        // Kestrel asks the factory that was registered last.
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => new BoundedListenerFactory(
            ActivatorUtilities.CreateInstance<SocketTransportFactory>(services),
            services.GetRequiredService<DescriptorBudget>().Accepted ?? int.MaxValue));
    }
}
