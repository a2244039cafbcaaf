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
        if (configuration.GetSection(KestrelEndpoints).GetChildren().Any())
        {
            // Kestrel's own section overrides every address, so the management port must be one of its endpoints.
            if (managementPort is not null)
            {
                configuration[$"{KestrelEndpoints}:Management:Url"] = $"http://*:{managementPort}";
            }

            return configuration.GetSection(KestrelEndpoints).GetChildren().Sum(endpoint => EndpointsOf(endpoint["Url"] ?? ""));
        }

        var addresses = Find(configuration);
        if (managementPort is not null)
        {
            var host = BindingAddress.Parse(addresses[0]).Host;
            addresses.Add($"http://{host}:{managementPort}");
        }

        builder.WebHost.UseUrls([.. addresses]);
        return addresses.Sum(EndpointsOf);
    }

    private static int EndpointsOf(string address) => address.Contains("//localhost", StringComparison.OrdinalIgnoreCase) ? 2 : 1;

    /// <summary>Applies the framework's order: addresses take precedence over ports.</summary>
    private static List<string> Find(ConfigurationManager configuration)
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
