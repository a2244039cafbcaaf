using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>The memory of a server's process after a forced collection.</summary>
internal readonly record struct MemoryReading(long HeapBytes, long WorkingSetBytes);

/// <summary>A measured server in a separate process. The process ends with this object, and with the benchmark process.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const int KeptLines = 40;
    private const int Attempts = 3;
    private const int MaxSettlings = 10;
    private const double SettledShare = 0.003;
    private static readonly TimeSpan SettlePause = TimeSpan.FromMilliseconds(300);
    private const string PortInUse = "address already in use";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;
    private readonly Queue<string> _lastLines = [];
    private readonly Channel<MemoryReading> _readings = Channel.CreateBounded<MemoryReading>(
        new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.DropOldest });

    private ServerProcess(Process process, Contender contender, Uri http)
    {
        _process = process;
        Contender = contender;
        Http = http;
        WebSocket = new UriBuilder(http) { Scheme = "ws" }.Uri;
    }

    public Contender Contender { get; }

    public Uri Http { get; }

    public Uri WebSocket { get; }

    /// <summary>The total processor time of the process so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>The resident memory of the process.</summary>
    public long WorkingSetBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <param name="runtimeConfig">The runtime settings for all servers, or null if each server uses its own.</param>
    /// <exception cref="ServerStartException">The server ended, or was not ready in time.</exception>
    public static async Task<ServerProcess> StartAsync(Contender contender, string? runtimeConfig, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var server = Launch(contender, runtimeConfig);
            try
            {
                await server.WaitUntilReadyAsync(cancellationToken);
                return server;
            }
            catch (ServerStartException) when (attempt < Attempts && server.LastLines().Contains(PortInUse, StringComparison.OrdinalIgnoreCase))
            {
                // A connection of another server can take the port between the choice and the start.
                await server.DisposeAsync();
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>
    /// Collects all garbage in the server, returns memory to the system, and reads the memory that is left. Repeated until the process stops shrinking,
    /// because some pools release memory only after a while.
    /// </summary>
    public async Task<MemoryReading> SettleAsync(CancellationToken cancellationToken)
    {
        var last = await CollectAsync(cancellationToken);
        for (var i = 1; i < MaxSettlings; i++)
        {
            await Task.Delay(SettlePause, TimeProvider.System, cancellationToken);
            var next = await CollectAsync(cancellationToken);
            var change = Math.Abs(next.WorkingSetBytes - last.WorkingSetBytes);
            last = next;
            if (change < last.WorkingSetBytes * SettledShare)
            {
                break;
            }
        }

        return last;
    }

    private async Task<MemoryReading> CollectAsync(CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync("settle".AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        return await _readings.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(ProbePatience, TimeProvider.System, cancellationToken);
    }

    /// <summary>Ends the process at once, like a power cut.</summary>
    public void Kill() => _process.Kill();

    /// <inheritdoc cref="ProcessSignals.Freeze"/>
    public void Freeze() => _process.Freeze();

    /// <inheritdoc cref="ProcessSignals.Thaw"/>
    public void Thaw() => _process.Thaw();

    /// <summary>Waits until the process has ended by itself, and returns its exit code.</summary>
    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static ServerProcess Launch(Contender contender, string? runtimeConfig)
    {
        var http = new Uri($"http://127.0.0.1:{FreePort.Take()}");
        var process = new Process { StartInfo = CreateStartInfo(contender, runtimeConfig, http) };
        var server = new ServerProcess(process, contender, http);
        process.OutputDataReceived += (_, line) => server.OnLine(line.Data);
        process.ErrorDataReceived += (_, line) => server.OnLine(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return server;
    }

    private static ProcessStartInfo CreateStartInfo(Contender contender, string? runtimeConfig, Uri http)
    {
        var dll = contender.Command[0];
        var start = new ProcessStartInfo(DotnetPath())
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(dll)!,
        };
        start.ArgumentList.Add("exec");
        if (runtimeConfig is not null)
        {
            start.ArgumentList.Add("--runtimeconfig");
            start.ArgumentList.Add(runtimeConfig);
        }

        foreach (var argument in contender.Command)
        {
            start.ArgumentList.Add(argument);
        }

        start.ArgumentList.Add("--urls");
        start.ArgumentList.Add(http.GetLeftPart(UriPartial.Authority));
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(ServerProcess).Assembly.Location;
        return start;
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = Http };
        var started = Stopwatch.StartNew();
        while (started.Elapsed < StartPatience)
        {
            if (_process.HasExited)
            {
                throw new ServerStartException($"{Contender.Name} ended with code {_process.ExitCode} before it was ready.\n{LastLines()}");
            }

            if (await IsReadyAsync(http, cancellationToken))
            {
                return;
            }

            await Task.Delay(PollInterval, TimeProvider.System, cancellationToken);
        }

        throw new ServerStartException($"{Contender.Name} was not ready after {StartPatience.TotalSeconds:N0} s.\n{LastLines()}");
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), cancellationToken);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void OnLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        if (line.StartsWith(StartupHook.ReportPrefix, StringComparison.Ordinal))
        {
            var figures = line[StartupHook.ReportPrefix.Length..].Split(' ');
            _readings.Writer.TryWrite(new MemoryReading(
                long.Parse(figures[0], CultureInfo.InvariantCulture), long.Parse(figures[1], CultureInfo.InvariantCulture)));
            return;
        }

        lock (_lastLines)
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > KeptLines)
            {
                _lastLines.Dequeue();
            }
        }
    }

    /// <summary>The last lines that the process printed.</summary>
    public string LastLines()
    {
        lock (_lastLines)
        {
            return string.Join('\n', _lastLines);
        }
    }

    /// <summary>The dotnet host of this process, whether it was started as a dll or by its own executable.</summary>
    private static string DotnetPath()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(beside) ? beside : name;
    }
}
