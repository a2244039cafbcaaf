using System.Globalization;
using System.Net;

namespace OrleansSessions.TestKit.Processes;

/// <summary>The real server in a separate process, on loopback and a free port.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string HealthLabel = "  health ";
    private const string ProbePrefix = "@probe ";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    /// <summary>The environment of a server whose heap can be read. Needs the project of the benchmarks, which has the hook for that.</summary>
    public static Dictionary<string, string> WithProbe => new() { ["DOTNET_STARTUP_HOOKS"] = RepositoryFolder.BenchmarksDll };

    private readonly ChildProcess _process;

    private ServerProcess(ChildProcess process, Uri address)
    {
        _process = process;
        Address = address;
        Http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>The address of the server: <c>http://127.0.0.1:port/</c>.</summary>
    public Uri Address { get; }

    public HttpClient Http { get; }

    public string Output => _process.Output;

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Starts the server and waits until it is ready. The system selects the port, so that no two tests use the same port.</summary>
    /// <param name="settings">
    /// Configuration keys and values, as on the command line: <c>Responder:Name=echo</c>. Without one of a store, sessions are in memory, so that no
    /// two servers share a file.
    /// </param>
    public static Task<ServerProcess> StartAsync(params string[] settings) => StartAsync([], null, settings);

    /// <summary>Starts the server with environment variables.</summary>
    public static Task<ServerProcess> StartWithAsync(Dictionary<string, string> environment, params string[] settings) =>
        StartAsync(environment, null, settings);

    /// <summary>Starts the server in a process with a limit on open files. Needs <c>bash</c>.</summary>
    public static Task<ServerProcess> StartWithFilesAsync(int openFiles, params string[] settings) => StartAsync([], openFiles, settings);

    /// <summary>Starts another build of the server.</summary>
    /// <param name="dll">The path of its <c>OrleansSessions.Server.dll</c>.</param>
    public static Task<ServerProcess> StartBuildAsync(string dll, params string[] settings) => StartAsync([], null, settings, dll);

    private static async Task<ServerProcess> StartAsync(
        Dictionary<string, string> environment, int? openFiles, string[] settings, string? dll = null)
    {
        string[] arguments =
        [
            dll ?? RepositoryFolder.ServerDll, "--urls=http://127.0.0.1:0", .. PersistenceFor(settings), .. settings.Select(setting => "--" + setting),
        ];
        var process = Launch($"server ({string.Join(' ', settings)})", arguments, environment, openFiles);
        try
        {
            return await UntilReadyAsync(process);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the server with exactly these arguments, for starts that are expected to fail.</summary>
    public static ChildProcess Launch(
        string name, IEnumerable<string> arguments, Dictionary<string, string>? environment = null, int? openFiles = null)
    {
        var all = new Dictionary<string, string>(environment ?? [])
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["DOTNET_ENVIRONMENT"] = "Production",
            ["DOTNET_gcServer"] = "0",
        };
        return openFiles is null
            ? ChildProcess.Start(name, ChildProcess.DotnetPath, arguments, all)
            : ChildProcess.Start(name, "bash", ["-c", $"ulimit -n {openFiles} && exec \"$0\" \"$@\"", ChildProcess.DotnetPath, .. arguments], all);
    }

    public Uri Socket(string session, string query = "") =>
        new UriBuilder(Address) { Scheme = "ws", Path = $"/ws/{session}", Query = query }.Uri;

    /// <summary>Requests a graceful shutdown and returns the exit code.</summary>
    public Task<int> StopAsync() => _process.StopAsync();

    /// <inheritdoc cref="ChildProcess.StopAgain"/>
    public void StopAgain() => _process.StopAgain();

    public void Kill() => _process.Kill();

    /// <inheritdoc cref="ChildProcess.Freeze"/>
    public void Freeze() => _process.Freeze();

    /// <inheritdoc cref="ChildProcess.Thaw"/>
    public void Thaw() => _process.Thaw();

    /// <summary>Collects all garbage in a server that was started <see cref="WithProbe"/>, and returns the size of what is left on its managed heap.</summary>
    public async Task<long> ReadHeapAsync()
    {
        var reports = HeapReports();
        await _process.WriteLineAsync("collect");
        string[] later = [];
        await _process.UntilAsync(() => Task.FromResult((later = HeapReports()).Length > reports.Length), "it reports its heap", StartPatience);
        return long.Parse(later[^1].Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until the process ends by itself and returns the exit code.</summary>
    public Task<int> ExitAsync(TimeSpan patience) => _process.ExitAsync(patience);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _process.DisposeAsync();
    }

    private string[] HeapReports() => Array.FindAll(Output.Split('\n'), static line => line.StartsWith(ProbePrefix, StringComparison.Ordinal));

    private static string[] PersistenceFor(string[] settings) =>
        settings.Any(setting => setting.StartsWith("Sessions:Persistence=", StringComparison.Ordinal) || setting == "Cluster:Provider=Redis")
            ? [] : ["--Sessions:Persistence=Memory"];

    private static async Task<ServerProcess> UntilReadyAsync(ChildProcess process)
    {
        Uri? health = null;
        await process.UntilAsync(
            () => Task.FromResult((health = FindHealth(process.Output)) is not null), "it prints the address of its health endpoint", StartPatience);
        var server = new ServerProcess(process, new Uri(health!, "/"));
        HttpStatusCode? seen = null;
        await process.UntilAsync(
            async () => (seen = await AskAsync(server.Http, health!)) == HttpStatusCode.OK, $"{health} answers 200", StartPatience);
        return server;
    }

    private static async Task<HttpStatusCode?> AskAsync(HttpClient http, Uri health)
    {
        try
        {
            using var response = await http.GetAsync(health);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static Uri? FindHealth(string output) =>
        output.Split('\n').FirstOrDefault(line => line.StartsWith(HealthLabel, StringComparison.Ordinal)) is { } line
            ? new Uri(line[HealthLabel.Length..].Trim())
            : null;
}
