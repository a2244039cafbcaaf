namespace OrleansSessions.Server.Hosting;

/// <summary>Where the server listens: what the framework's own settings say, else <c>http://localhost:5080</c>; and the management port beside it.</summary>
internal static class ListenAddresses
{
    private const string Default = "http://localhost:5080";
    private const string KestrelEndpoints = "Kestrel:Endpoints";

    /// <returns>How many endpoints the web server gets, at most: <c>localhost</c> is one for IPv4 and one for IPv6.</returns>
    public static int UseListenAddresses(this WebApplicationBuilder builder, int? managementPort)
    {
        var configuration = builder.Configuration;
        if (configuration.GetSection(KestrelEndpoints).GetChildren().Any())
        {
            // Kestrel's own section overrules every address, so the management port has to be one of its endpoints.
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

    /// <summary>As the framework decides: addresses win over ports.</summary>
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
