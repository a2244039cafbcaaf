using System.Net;
using Microsoft.AspNetCore.HttpOverrides;

namespace OrleansSessions.Server.Hosting;

/// <summary>
/// Reads <c>X-Forwarded-For</c>, <c>X-Forwarded-Proto</c> and <c>X-Forwarded-Host</c> if, and only if, a listed proxy sends them. Anyone else could use them to
/// look like another machine.
/// </summary>
internal static class KnownProxies
{
    /// <summary>The framework's own switch, which believes these headers from everyone.</summary>
    private const string FrameworkSwitch = "ForwardedHeaders_Enabled";

    public static string? FindMistake(IConfiguration configuration) =>
        string.Equals(configuration[FrameworkSwitch], "true", StringComparison.OrdinalIgnoreCase)
            ? "ASPNETCORE_FORWARDEDHEADERS_ENABLED is true, but then every client can choose the address from which it seems to come; "
                + "set it to false, and list your proxies in Server:KnownProxies."
            : null;

    public static void AddKnownProxies(this IServiceCollection services, IEnumerable<string> proxies)
    {
        var networks = proxies.Select(Parse).ToList();
        if (networks.Count == 0)
        {
            return;
        }

        services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
            options.KnownProxies.Clear();
            options.KnownIPNetworks.Clear();
            networks.ForEach(network => options.KnownIPNetworks.Add(network!.Value));

            // A chain of proxies is read as far as each of them is listed.
            options.ForwardLimit = null;
        });

        // Before the framework's own filters: one of them compares the host with AllowedHosts.
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, First>());
    }

    /// <summary>Reads an address or a network in CIDR notation. Returns null for anything else.</summary>
    internal static System.Net.IPNetwork? Parse(string proxy) =>
        System.Net.IPNetwork.TryParse(proxy, out var network) ? network
        : IPAddress.TryParse(proxy, out var address) ? new System.Net.IPNetwork(address, address.GetAddressBytes().Length * 8)
        : null;

    private sealed class First : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseForwardedHeaders();
            next(app);
        };
    }
}
