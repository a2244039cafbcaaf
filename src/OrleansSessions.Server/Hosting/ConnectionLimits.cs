using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.Server.Hosting;

/// <summary>Limits what clients can hold of the web server without sending a request: connections, and the time of each connection.</summary>
internal static class ConnectionLimits
{
    private const string Section = "Kestrel:Limits";

    /// <summary>Longer than proxies keep idle connections (usually 60 s), because the proxy must be the side that closes.</summary>
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What a connection can hold of data that was not read yet, in bytes. Kestrel's default is 1 MiB, which each socket that is read slowly would fill.
    /// </summary>
    private const int MaxUnreadBytes = 64 * 1024;

    /// <summary>Sets Kestrel's limits to what this process can handle. <c>Kestrel:Limits</c> in the configuration overrides each of them.</summary>
    public static void UseConnectionLimits(this WebApplicationBuilder builder, int endpoints)
    {
        builder.Services.TryAddSingleton<DescriptorBudget>();
        builder.Services.AddOptions<KestrelServerOptions>().Configure<DescriptorBudget>((kestrel, descriptors) =>
        {
            // Kestrel counts per endpoint, and stops counting a connection that becomes a WebSocket. WebSockets have their own limit, which
            // refuses with an error. This limit closes the connection without one.
            kestrel.Limits.MaxConcurrentConnections = descriptors.PlainConnections is { } plain ? Math.Max(1, plain / endpoints) : null;
            kestrel.Limits.KeepAliveTimeout = KeepAliveTimeout;
            kestrel.Limits.RequestHeadersTimeout = RequestHeadersTimeout;
            builder.Configuration.GetSection(Section).Bind(kestrel.Limits);
        });

        builder.Services.Configure<SocketTransportOptions>(static transport => transport.MaxReadBufferSize = MaxUnreadBytes);

        // Kestrel uses the factory that was registered last.
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => new BoundedListenerFactory(
            ActivatorUtilities.CreateInstance<SocketTransportFactory>(services),
            services.GetRequiredService<DescriptorBudget>().Accepted ?? int.MaxValue));
    }
}
