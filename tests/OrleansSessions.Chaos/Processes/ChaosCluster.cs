using OrleansSessions.Chaos.Checks;
using OrleansSessions.Chaos.Results;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.Chaos.Processes;

/// <summary>Redis, and the nodes that share it.</summary>
internal sealed class ChaosCluster : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    // Clients notice a silent node after three heartbeats, so one second bounds what a frozen node costs them. They are hit so often that their
    // pauses between attempts would grow to the default limit of 15 s.
    private static readonly string[] Settings =
    [
        "Cluster:Provider=Redis", "Cluster:SiloPort=0", "Cluster:OrleansGatewayPort=0", "Cluster:AdvertisedAddress=127.0.0.1", "Responder:Name=echo",
        "Responder:Echo:InitialDelay=00:00:00.200", "Responder:Echo:Delay=00:00:00.150", "SocketGateway:HeartbeatInterval=00:00:01",
        "SocketGateway:ReconnectMax=00:00:03", "Server:DrainTimeout=00:00:05",
    ];

    private ChaosCluster(ChaosRedis redis, IReadOnlyList<ChaosNode> nodes) => (Redis, Nodes) = (redis, nodes);

    public ChaosRedis Redis { get; }

    public IReadOnlyList<ChaosNode> Nodes { get; }

    public int Up => Nodes.Count(node => node.State == NodeState.Up);

    public bool IsWhole => Up == Nodes.Count;

    /// <param name="server">The path of the server's dll, or null for the one that was built with this program.</param>
    public static async Task<ChaosCluster> StartAsync(int nodes, string? server, RunClock clock, Counts counts, Findings findings)
    {
        var redis = await ChaosRedis.StartAsync();
        var cluster = $"chaos-{Guid.NewGuid():N}";
        string[] settings =
            [.. Settings, $"Cluster:Redis={redis.ConnectionString}", $"Cluster:ClusterId={cluster}", $"Cluster:ServiceId={cluster}"];
        return new(redis, [.. Enumerable.Range(0, nodes).Select(number => new ChaosNode(
            number, () => ServerProcess.StartBuildAsync(server ?? RepositoryFolder.ServerDll, settings), clock, counts, findings))]);
    }

    public async Task StartNodesAsync(CancellationToken cancellationToken)
    {
        foreach (var node in Nodes)
        {
            node.Start();
        }

        await UntilAsync(() => IsWhole, StartPatience, cancellationToken);
    }

    /// <summary>Waits until something holds. Returns false if it did not in time.</summary>
    public static async Task<bool> UntilAsync(Func<bool> condition, TimeSpan patience, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > patience)
            {
                return false;
            }

            await RunClock.DelayAsync(Poll, cancellationToken);
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Nodes.Select(node => node.DisposeAsync().AsTask()));
        await Redis.DisposeAsync();
    }
}
