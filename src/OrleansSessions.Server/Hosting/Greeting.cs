using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using OrleansSessions.Responders;
using OrleansSessions.Server.Observability;

namespace OrleansSessions.Server.Hosting;

/// <summary>Prints the addresses of the server after it has started.</summary>
internal static class Greeting
{
    public static void GreetWhenStarted(this WebApplication app, ServerOptions server, ResponderOptions responder, string sessions) =>
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            foreach (var line in Compose(server, responder, sessions, Addresses(app)))
            {
                Console.WriteLine(line);
            }
        });

    /// <param name="sessions">Where they are kept.</param>
    internal static IEnumerable<string> Compose(ServerOptions server, ResponderOptions responder, string sessions, IReadOnlyList<Uri> addresses)
    {
        yield return $"OrleansSessions {ServerVersion.Text}, role {server.Role}";
        if (server.Role != ServerRole.SocketGateway)
        {
            yield return $"  responder  {responder.Name}{(responder.Name == ResponderOptions.EchoName ? " (the demo: it repeats the question)" : "")}";
            yield return $"  sessions   {sessions}";
        }

        // A server on a Unix socket has no address that could be opened or called by itself.
        if (addresses.Count == 0)
        {
            yield break;
        }

        var main = addresses.FirstOrDefault(address => address.Port != server.ManagementPort) ?? addresses[0];
        var management = addresses.FirstOrDefault(address => address.Port == server.ManagementPort) ?? main;
        if (server.Role != ServerRole.Silo)
        {
            yield return $"  page       {main}";
            yield return $"  sockets    {(main.Scheme == "https" ? "wss" : "ws")}://{main.Authority}/ws/{{session_id}}";
        }

        yield return $"  health     {new Uri(management, HealthEndpoints.ReadyPath)}";
        yield return $"  metrics    {new Uri(management, ObservabilityHosting.MetricsPath)}";
    }

    private static List<Uri> Addresses(WebApplication app) =>
    [
        .. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Select(BindingAddress.Parse).Where(address => !address.IsUnixPipe && !address.IsNamedPipe)
            .Select(address => new UriBuilder(address.Scheme, IsAnyHost(address.Host) ? "localhost" : address.Host, address.Port).Uri),
    ];

    private static bool IsAnyHost(string host) => host is "*" or "+" or "0.0.0.0" or "[::]";
}
