using System.Globalization;
using System.Net;
using OrleansSessions.EndToEndTests.JavaScript;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>A running <c>mock-llm</c> on loopback, an upstream that others have written.</summary>
internal sealed class MockLlmProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    private readonly ChildProcess _process;
    private readonly string _configuration;

    private MockLlmProcess(ChildProcess process, string configuration, int port)
    {
        _process = process;
        _configuration = configuration;
        Origin = $"http://127.0.0.1:{port}";
    }

    /// <summary>The address without a path: <c>http://127.0.0.1:port</c>.</summary>
    public string Origin { get; }

    /// <summary>The value for <c>Responder:OpenAI:Endpoint</c>.</summary>
    public string Endpoint => $"{Origin}/v1";

    public string Output => _process.Output;

    /// <param name="program">From <see cref="MockLlmInstallation"/>.</param>
    /// <param name="configuration">Its rules, as YAML.</param>
    public static async Task<MockLlmProcess> StartAsync(string program, string configuration)
    {
        var file = Path.Combine(Path.GetTempPath(), $"mock-llm-{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(file, configuration);
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var port = FreePort.Take();
        var process = ChildProcess.Start(
            "mock-llm", NpmInstallation.Node!, [program, "--config", file],
            new Dictionary<string, string> { ["HOST"] = "127.0.0.1", ["PORT"] = port.ToString(CultureInfo.InvariantCulture) });
        var mock = new MockLlmProcess(process, file, port);
        try
        {
            await process.UntilAsync(() => IsReadyAsync(http, mock.Origin), $"{mock.Origin} is ready", StartPatience);
            return mock;
        }
        catch
        {
            await mock.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        File.Delete(_configuration);
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, string origin)
    {
        try
        {
            using var response = await http.GetAsync($"{origin}/ready");
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
