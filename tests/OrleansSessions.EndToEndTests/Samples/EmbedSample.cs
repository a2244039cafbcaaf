using System.Net.Http.Json;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary><c>samples/Embed</c> in a process of its own, and its customers.</summary>
public abstract class EmbedSample(string pace) : IAsyncLifetime
{
    private HostProcess? _process;

    public Uri Address => _process!.Address;

    public async ValueTask InitializeAsync()
    {
        var built = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(RepositoryFolder.Path, "samples", "Embed", "bin", built.Parent!.Name, built.Name, "Embed.dll");
        _process = await HostProcess.StartAsync(
            "samples/Embed", [program, $"--SiloPort={FreePort.Take()}", $"--OrleansGatewayPort={FreePort.Take()}", $"--Pace={pace}"]);
    }

    public Uri Socket(string session, string query = "") => _process!.Socket(session, query);

    /// <summary>A caller without a cookie.</summary>
    public HttpClient Stranger() => new() { BaseAddress = Address };

    /// <summary>A caller that has signed in, with its cookie as a header, so that a socket can send it too.</summary>
    public async Task<HttpClient> SignInAsync(string name)
    {
        var caller = Stranger();
        using var response = await caller.PostAsJsonAsync("/sign-in", new { name, password = name });
        response.EnsureSuccessStatusCode();
        caller.DefaultRequestHeaders.Add("Cookie", response.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        return caller;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}

public sealed class QuickEmbedSample() : EmbedSample("00:00:00.01");

/// <summary>A word a second: time to press Stop in the middle of an answer, on a machine that is busy too.</summary>
public sealed class SlowEmbedSample() : EmbedSample("00:00:01");
