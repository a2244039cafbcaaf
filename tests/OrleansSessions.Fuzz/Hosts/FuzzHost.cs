using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.Grains.Responders;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Fuzz.Hosts;

/// <summary>A silo and a socket gateway in this process, with times so short that a run does not wait for them, and a log that is watched.</summary>
public sealed class FuzzHost : IAsyncDisposable
{
    /// <summary>
    /// How much the managed heap may grow from the first inputs to the end. What is kept of a few sessions is about 1 MB each at most; the rest is room
    /// for what the runtime keeps for reuse.
    /// </summary>
    public const long MaxGrowthBytes = 64 * 1024 * 1024;

    private readonly SessionCluster _cluster;
    private readonly SocketHost _host;
    private long _heapBefore;

    private FuzzHost(SessionCluster cluster, SocketHost host, FuzzLog log, UsedSessions used)
    {
        _cluster = cluster;
        _host = host;
        Log = log;
        Used = used;
    }

    public Uri Address => _host.Address;

    public FuzzLog Log { get; }

    /// <summary>The sessions that the inputs have used with success.</summary>
    internal UsedSessions Used { get; }

    /// <param name="responder"><c>echo</c>, or <c>external</c> for questions that stay open until an input answers them.</param>
    public static async Task<FuzzHost> StartAsync(string responder)
    {
        var log = new FuzzLog();
        var used = new UsedSessions();
        var cluster = await SessionCluster.StartAsync(
            responderName: responder,
            configureSilo: silo =>
            {
                silo.ConfigureLogging(logging => logging.AddProvider(log));
                silo.Services.Configure<EchoOptions>(options => (options.InitialDelay, options.Delay) = (TimeSpan.Zero, TimeSpan.Zero));
            });
        try
        {
            var host = await SocketHost.StartAsync(
                cluster.Orleans.Client,
                options =>
                {
                    options.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
                    options.MessageTimeout = TimeSpan.FromMilliseconds(400);
                    options.CloseTimeout = TimeSpan.FromMilliseconds(500);
                    options.MaxWait = TimeSpan.FromMilliseconds(300);
                    options.MaxFragments = 20;
                    options.MaxBusyRefusals = 6;
                    options.MaxBadRequests = 4;
                    options.AllowedOrigins = ["https://app.example"];
                },
                configureHost: builder =>
                {
                    builder.Logging.AddProvider(log);
                    builder.Services.AddSingleton<IStartupFilter>(new SeenRequests(used));
                });
            return new(cluster, host, log, used);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Uri Socket(string path) => _host.SocketAddress(path);

    /// <summary>Call it when the host has seen inputs of each kind, so that what is made once does not count as growth.</summary>
    public void MarkHeap() => _heapBefore = GC.GetTotalMemory(forceFullCollection: true);

    /// <summary>Opens a socket as a client does, and asks for a sign of life. Throws if there is none.</summary>
    public async Task ProbeAsync()
    {
        await using var socket = await _host.ConnectV1Async("probe");
        await socket.NextAsync("hello");
        await socket.SendAsync("""{"type":"ping"}""");
        await socket.UntilAsync("ping");
    }

    /// <summary>Waits until the connections of all inputs are gone, and compares what is left with what may be left.</summary>
    /// <returns>What is wrong, or null.</returns>
    public async Task<string?> FindLeftoversAsync()
    {
        await ProbeAsync();
        var followers = _host.Services.GetRequiredService<FollowerRegistry>();
        await Eventually.TrueAsync(() => !followers.Sessions.Any() && HasNoConnections(followers), "the connections of all inputs are gone");
        await _cluster.HibernateAsync();
        var statistics = await _cluster.Orleans.Client.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics();
        var active = statistics.Where(grain => grain.GrainType.Contains("SessionGrain", StringComparison.Ordinal)).Sum(grain => grain.ActivationCount);
        var growth = GC.GetTotalMemory(forceFullCollection: true) - _heapBefore;
        return Log.FirstError is { } error ? $"the log has an error: {error}"
            : active > Used.Count ? $"{active} sessions are active, but the inputs have used only {Used.Count}"
            : _heapBefore > 0 && growth > MaxGrowthBytes ? $"the heap has grown by {growth} bytes"
            : null;
    }

    public long HeapGrowth => GC.GetTotalMemory(forceFullCollection: true) - _heapBefore;

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    private static bool HasNoConnections(FollowerRegistry followers)
    {
        // The only place is free only if no connection has one.
        if (!followers.TryReserve(1))
        {
            return false;
        }

        followers.Release();
        return true;
    }
}
