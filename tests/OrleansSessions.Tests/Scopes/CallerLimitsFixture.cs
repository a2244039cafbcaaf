using System.Collections.Concurrent;
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

/// <summary>Two silos that share a store, and two socket gateways, with low limits for a scope. It counts the calls to the grains of scopes.</summary>
public sealed class CallerLimitsFixture : IAsyncLifetime
{
    public const int MaxSockets = 2;
    public const int MaxOpenQuestions = 2;
    public const int MaxAsks = 10;
    public const int MaxRequests = 12;

    private SessionCluster? _cluster;
    private SocketHost? _left;
    private SocketHost? _right;

    public GatedStorage Store { get; } = new();

    /// <summary>The calls so far, by the type and key of the grain.</summary>
    public ConcurrentDictionary<string, int> Calls { get; } = new();

    public RecordedLog Log { get; } = new();

    public SessionCluster Cluster => _cluster!;

    public SocketHost Left => _left!;

    public SocketHost Right => _right!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(silos: 2, configureSilo: silo =>
        {
            silo.Services.AddKeyedSingleton<Orleans.Storage.IGrainStorage>(SessionsOptions.StorageName, Store);
            silo.Services.Configure<ScopeLimitsOptions>(Limit);
            silo.AddIncomingGrainCallFilter(context =>
            {
                if (context.Grain is IScopeQuotaGrain or IScopeIndexGrain)
                {
                    Calls.AddOrUpdate(context.TargetId.ToString(), 1, (_, count) => count + 1);
                }

                return context.Invoke();
            });
        });
        (_left, _right) = (await StartHostAsync(_cluster, Log), await StartHostAsync(_cluster, Log));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in new[] { _left, _right }.OfType<SocketHost>())
        {
            await host.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    private static void Limit(ScopeLimitsOptions limits)
    {
        limits.MaxSocketsPerScope = MaxSockets;
        limits.MaxOpenQuestionsPerScope = MaxOpenQuestions;
        limits.MaxAsksPerMinutePerScope = MaxAsks;
    }

    private static Task<SocketHost> StartHostAsync(SessionCluster cluster, RecordedLog log) => SocketHost.StartAsync(
        cluster.Orleans.Client,
        options => (options.MaxBusyRefusals, options.MaxRequestsPerMinute) = (3, MaxRequests),
        configureHost: builder =>
        {
            builder.AddTestTokens();
            builder.Logging.AddProvider(log);
            builder.Services.Configure<ScopeLimitsOptions>(Limit);
            builder.Services.Configure<AuthOptions>(options => options.AllowAnonymous = true);
        });
}
