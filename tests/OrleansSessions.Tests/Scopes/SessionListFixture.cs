using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

/// <summary>One silo with a store and a socket gateway, and room for few sessions in a scope.</summary>
public sealed class SessionListFixture : IAsyncLifetime
{
    public const int MaxSessions = 5;

    private SessionCluster? _cluster;
    private SocketHost? _host;

    public GatedStorage Store { get; } = new();

    public RecordedLog Log { get; } = new();

    public SessionCluster Cluster => _cluster!;

    public SocketHost Host => _host!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(configureSilo: silo =>
        {
            silo.Services.AddKeyedSingleton<Orleans.Storage.IGrainStorage>(SessionsOptions.StorageName, Store);
            silo.Services.Configure<ScopeLimitsOptions>(limits => limits.MaxSessionsPerScope = MaxSessions);
        });
        _host = await SocketHost.StartAsync(_cluster.Orleans.Client, configureHost: builder =>
        {
            builder.AddTestTokens();
            builder.Services.AddSingleton(_cluster.Clock.Time);
            builder.Logging.AddProvider(Log);
            builder.Services.Configure<AuthOptions>(options => options.AllowAnonymous = true);
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }
}
