using OrleansSessions.Grains.Responders;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.Scopes;
using OrleansSessions.Server.Authentication;
using OrleansSessions.Server.Clustering;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.Server.Hosting;

/// <summary>Every section that this server reads, in the order of the documentation.</summary>
internal static class KnownSections
{
    public static IReadOnlyList<KnownSection> All { get; } =
    [
        KnownSection.Of<ServerOptions>(),
        KnownSection.Of<ClusterConnectionOptions>(),
        KnownSection.Of<SessionsOptions>(),
        KnownSection.Of<SocketGatewayOptions>(),
        KnownSection.Of<AuthOptions>(),
        KnownSection.Of<JwtOptions>(),
        KnownSection.Of<ScopeLimitsOptions>(),
        KnownSection.Of<ResponderOptions>(),
        KnownSection.Of<EchoOptions>(),
        KnownSection.Of<OpenAIOptions>(),
    ];
}
