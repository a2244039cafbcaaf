namespace OrleansSessions.Server.Hosting;

/// <summary>Where the server listens: what the framework's own settings say, else <c>http://localhost:5080</c>; and the management port beside it.</summary>
internal static class ListenAddresses
{
    private const string Default = "http://localhost:5080";
    private const string KestrelEndpoints = "Kestrel:Endpoints";
    private const int EndpointsOfAName = 2;

    /// <returns>How many endpoints the web server gets, at most: a name such as localhost is one for IPv4 and one for IPv6.</returns>
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

            return EndpointsOfAName * configuration.GetSection(KestrelEndpoints).GetChildren().Count();
        }

        var addresses = Find(configuration);
        if (managementPort is not null)
        {
            var host = BindingAddress.Parse(addresses[0]).Host;
            addresses.Add($"http://{host}:{managementPort}");
        }

        builder.WebHost.UseUrls([.. addresses]);
        return EndpointsOfAName * addresses.Count;
    }

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
