using OrleansSessions.Chaos.Proxies;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.Chaos.Processes;

/// <summary>Redis with an append-only file, and the proxy between it and the servers.</summary>
internal sealed class ChaosRedis : IAsyncDisposable
{
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(60);

    private readonly RedisProcess _process;
    private readonly string _folder;
    private readonly FaultProxy _proxy = new(readsNames: false);

    private ChaosRedis(RedisProcess process, string folder)
    {
        (_process, _folder) = (process, folder);
        _proxy.Target = process.Port;
    }

    public string ConnectionString => $"127.0.0.1:{_proxy.Port}";

    public static async Task<ChaosRedis> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("chaos-redis-").FullName;
        try
        {
            return new(await RedisProcess.StartAsync(RedisFlavour.RedisServer, folder: folder), folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public async Task FreezeAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        _process.Freeze();
        try
        {
            await RunClock.DelayAsync(time, cancellationToken);
        }
        finally
        {
            _process.Thaw();
        }
    }

    /// <summary>Kills Redis and starts it again after some time. It always comes back, also when the run ends meanwhile.</summary>
    public async Task KillAsync(TimeSpan time)
    {
        _process.Kill();
        await RunClock.DelayAsync(time, CancellationToken.None);
        await _process.RestartAsync();
    }

    public Task DelayAsync(TimeSpan time, CancellationToken cancellationToken) => ForAsync(
        time, link => link.Up.Delay = link.Down.Delay = Late, link => link.Up.Delay = link.Down.Delay = TimeSpan.Zero, cancellationToken);

    public Task StallAsync(TimeSpan time, CancellationToken cancellationToken) => ForAsync(
        time,
        link =>
        {
            link.Up.Stall();
            link.Down.Stall();
        },
        link =>
        {
            link.Up.GoOn();
            link.Down.GoOn();
        },
        cancellationToken);

    public void Cut()
    {
        foreach (var link in _proxy.Links)
        {
            link.Reset();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task ForAsync(TimeSpan time, Action<ProxyLink> begin, Action<ProxyLink> end, CancellationToken cancellationToken)
    {
        _proxy.OnOpened = begin;
        foreach (var link in _proxy.Links)
        {
            begin(link);
        }

        try
        {
            await RunClock.DelayAsync(time, cancellationToken);
        }
        finally
        {
            _proxy.OnOpened = null;
            foreach (var link in _proxy.Links)
            {
                end(link);
            }
        }
    }
}
