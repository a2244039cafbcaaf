namespace OrleansSessions.Server.Hosting;

/// <summary>
/// Sets the addresses on which the server listens: the framework's own settings, or <c>http://localhost:5080</c> if there are none, and the
/// management port.
/// </summary>
internal static class ListenAddresses
{
    private const string Default = "http://localhost:5080";
    private const string KestrelEndpoints = "Kestrel:Endpoints";

    /// <returns>The maximum number of endpoints of the web server. <c>localhost</c> counts as two: one for IPv4 and one for IPv6.</returns>
    public static int UseListenAddresses(this WebApplicationBuilder builder, int? managementPort)
    {
        var configuration = builder.Configuration;

        // The framework would also open an endpoint that is added to a file later, which no one has checked.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Configure(configuration.GetSection("Kestrel"), reloadOnChange: false));
        if (FindEndpoints(configuration).Count > 0)
        {
            // Kestrel's own section overrides every address, so the management port must be one of its endpoints.
            if (managementPort is not null)
            {
                configuration[$"{KestrelEndpoints}:Management:Url"] = $"http://*:{managementPort}";
            }

            return FindEndpoints(configuration).Sum(EndpointsOf);
        }

        var addresses = FindAddresses(configuration);
        if (managementPort is not null)
        {
            var host = BindingAddress.Parse(addresses[0]).Host;
            addresses.Add($"http://{host}:{managementPort}");
        }

        builder.WebHost.UseUrls([.. addresses]);
        return addresses.Sum(EndpointsOf);
    }

    /// <summary>The addresses for clients, without the management port.</summary>
    public static IReadOnlyList<string> ForClients(IConfiguration configuration)
    {
        var endpoints = FindEndpoints(configuration);
        return endpoints.Count == 0 ? FindAddresses(configuration)
            : configuration.GetValue("preferHostingUrls", false) ? [.. endpoints, .. FindAddresses(configuration)]
            : endpoints;
    }

    private static int EndpointsOf(string address) => address.Contains("//localhost", StringComparison.OrdinalIgnoreCase) ? 2 : 1;

    private static List<string> FindEndpoints(IConfiguration configuration) =>
        [.. configuration.GetSection(KestrelEndpoints).GetChildren().Select(endpoint => endpoint["Url"] ?? "")];

    /// <summary>Applies the framework's order: addresses take precedence over ports.</summary>
    private static List<string> FindAddresses(IConfiguration configuration)
    {
        if (Split(configuration["urls"]) is { Count: > 0 } addresses)
        {
            return addresses;
        }

        List<string> ports =
        [
            .. Split(configuration["http_ports"]).Select(port => $"http://*:{port}"),
            .. Split(configuration["https_ports"]).Select(port => $"https://*:{port}"),
        ];
        return ports.Count > 0 ? ports : [Default];
    }

    private static List<string> Split(string? value) => [.. (value ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
}
