using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary><c>samples/TwoNodes/run.sh</c> as a reader starts it, on free ports.</summary>
public sealed partial class TwoNodesSample : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(2);
    private readonly ChildProcess _script;

    private TwoNodesSample(ChildProcess script, IReadOnlyList<int> ports)
    {
        _script = script;
        (Both, A, B) = (Client(ports[0]), Client(ports[1]), Client(ports[2]));
    }

    /// <summary>The two nodes through nginx.</summary>
    public HttpClient Both { get; }

    public HttpClient A { get; }

    public HttpClient B { get; }

    public static string Folder { get; } = Path.Combine(RepositoryFolder.Path, "samples", "TwoNodes");

    public string Output => _script.Output;

    /// <summary>Starts it. Skips the test where a program that it needs is absent; on a build server that is a failure.</summary>
    /// <param name="isBare">True to start it as on a machine that has neither nginx nor redis-server.</param>
    /// <param name="settings">More environment variables, which the nodes read: <c>Responder__Name</c>.</param>
    public static async Task<TwoNodesSample> StartAsync(bool isBare = false, params (string Name, string Value)[] settings)
    {
        RequiredProgram.Find("bash");
        if (!isBare)
        {
            RequiredProgram.Find("nginx");
        }

        int[] ports = [FreePort.Take(), FreePort.Take(), FreePort.Take(), FreePort.Take()];
        var script = Launch(ports, isBare, settings);
        try
        {
            await script.UntilAsync(() => Task.FromResult(script.Output.Contains("Ready.", StringComparison.Ordinal)), "both nodes are ready", StartPatience);
            return new(script, ports);
        }
        catch
        {
            await script.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the script where it is meant to fail: the port of node-b is taken.</summary>
    public static ChildProcess LaunchWithTakenPort(int port)
    {
        RequiredProgram.Find("bash");
        return Launch([FreePort.Take(), FreePort.Take(), port, FreePort.Take()], isBare: true);
    }

    /// <summary>The process that plays a part, as the script says.</summary>
    public int ProcessOf(string part) => int.Parse(
        Started().Matches(Output).Single(match => match.Groups["part"].Value == part).Groups["id"].ValueSpan, CultureInfo.InvariantCulture);

    /// <summary>Asks one node to end in order (SIGTERM), and waits until it has ended.</summary>
    public async Task StopNodeAsync(string part, TimeSpan patience)
    {
        using var node = Process.GetProcessById(ProcessOf(part));
        await using var kill = ChildProcess.Start("kill", "bash", ["-c", $"kill {Text(node.Id)}"]);
        await node.WaitForExitAsync().WaitAsync(patience, TimeProvider.System);
    }

    /// <summary>Asks it to end in order, as Ctrl-C does; the exit code.</summary>
    public Task<int> StopAsync() => _script.StopAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var client in new[] { Both, A, B })
        {
            client.Dispose();
        }

        await _script.DisposeAsync();
    }

    private static ChildProcess Launch(int[] ports, bool isBare, params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string>
        {
            ["SERVER"] = RepositoryFolder.ServerDll,
            ["DOTNET_gcServer"] = "0",
            ["PORT"] = Text(ports[0]),
            ["NODE_A_PORT"] = Text(ports[1]),
            ["NODE_B_PORT"] = Text(ports[2]),
            ["REDIS_PORT"] = Text(ports[3]),
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        if (isBare)
        {
            (environment["NGINX"], environment["REDIS_SERVER"]) = ("", "");
        }

        return ChildProcess.Start("run.sh", "bash", [Path.Combine(Folder, "run.sh")], environment);
    }

    private static HttpClient Client(int port) => new() { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(30) };

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^  (?<part>[\w-]+) .*, process (?<id>\d+)$", RegexOptions.Multiline)]
    private static partial Regex Started();
}
