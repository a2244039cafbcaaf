using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>An empty <c>redis-server</c> on loopback that writes nothing to disk.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private const string Program = "redis-server";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly Process _process;
    private readonly int _port;

    private RedisServer(Process process, int port) => (_process, _port) = (process, port);

    /// <summary>True if <c>redis-server</c> is on the path.</summary>
    public static bool IsInstalled => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, Program)));

    /// <summary>The value for <c>Cluster:Redis</c>.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    /// <exception cref="ServerStartException">There is no <c>redis-server</c> on the path, or it did not start.</exception>
    public static async Task<RedisServer> StartAsync(CancellationToken cancellationToken)
    {
        var port = FreePort.Take();
        var redis = new RedisServer(Launch(port), port);
        try
        {
            await redis.WaitUntilReadyAsync(cancellationToken);
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static Process Launch(int port)
    {
        var start = new ProcessStartInfo(
            Program,
            ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"])
        {
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardOutput = true,
        };
        try
        {
            // Its output is read and dropped: it is of no use beside the table.
            var process = Process.Start(start)!;
            process.BeginOutputReadLine();
            return process;
        }
        catch (Win32Exception missing)
        {
            throw new ServerStartException($"This measure needs {Program} on the path: {missing.Message}");
        }
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        while (!_process.HasExited && started.Elapsed < StartPatience)
        {
            if (await ListensAsync(cancellationToken))
            {
                return;
            }

            await Task.Delay(PollInterval, TimeProvider.System, cancellationToken);
        }

        throw new ServerStartException($"{Program} did not listen on port {_port} within {StartPatience.TotalSeconds:N0} s.");
    }

    private async Task<bool> ListensAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, _port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
