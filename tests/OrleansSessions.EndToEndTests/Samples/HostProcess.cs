using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary>An ASP.NET Core program of a reader in a process of its own, on loopback and a free port.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private readonly ChildProcess _process;

    private HostProcess(ChildProcess process, Uri address)
    {
        _process = process;
        Address = address;
        Http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="arguments">For <c>dotnet</c>: the program and what it is given, without its address.</param>
    public static async Task<HostProcess> StartAsync(string name, IEnumerable<string> arguments)
    {
        var process = ChildProcess.Start(name, ChildProcess.DotnetPath, [.. arguments, "--urls=http://127.0.0.1:0"]);
        try
        {
            await process.UntilAsync(
                () => Task.FromResult(process.Output.Contains("Application started", StringComparison.Ordinal)), "it has started", StartPatience);
            var line = process.Output.Split('\n').First(line => line.Contains(Listening, StringComparison.Ordinal));
            return new(process, new Uri(line.Split(Listening)[1].Trim()));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The program with ports of its own for Orleans, which the samples leave at their defaults: these are the same in every process,
    /// and two test runs must not meet there.
    /// </summary>
    public static string WithFreeSiloPorts(string code) => code.Replace(
        "UseLocalhostClustering()", $"UseLocalhostClustering({FreePort.Take()}, {FreePort.Take()})", StringComparison.Ordinal);

    /// <summary>The address of a session's socket.</summary>
    public Uri Socket(string session, string query = "") => new UriBuilder(Address) { Scheme = "ws", Path = $"/ws/{session}", Query = query }.Uri;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _process.DisposeAsync();
    }
}
