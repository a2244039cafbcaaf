using System.Text.Json;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Operations;

/// <summary>What an operator uses: health, metrics, documents, and the errors of a failed start.</summary>
public sealed class OperationsTests(EchoServerFixture server) : IClassFixture<EchoServerFixture>
{
    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Health_OfARunningServer_IsHealthy(string path)
    {
        var health = await server.Http.CallAsync(HttpMethod.Get, path);

        Assert.Equal((200, "Healthy"), ((int)health.Status, health.Body.Text("status")));
    }

    [Fact]
    public async Task Metrics_AfterAQuestion_ShowWhatHappened()
    {
        await using var client = server.Client(Names.Session());
        await client.ConnectAsync();
        await client.PumpUntilDoneAsync(await client.AskAsync("count me"));

        // The exporter returns the same page for 300 ms, so a page from just before the question can be returned once more.
        foreach (var name in new[]
        {
            "sessions_active", "sessions_waiting", "sessions_queued", "sessions_error_ratio", "sessions_asks_total", "sessions_questions_total",
            "sessions_question_first_delta_seconds_count", "sessions_question_duration_seconds_count", "sessions_gateway_connection_active",
            "sessions_gateway_messages_received_total", "sessions_gateway_messages_sent_total",
        })
        {
            await Eventually.TrueAsync(
                async () => (await server.Http.GetStringAsync("/metrics")).Split('\n')
                    .Any(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal)),
                $"/metrics has {name}");
        }
    }

    [Fact]
    public async Task Metrics_NameTheService()
    {
        var target = (await server.Http.GetStringAsync("/metrics")).Split('\n').Single(line => line.StartsWith("target_info{", StringComparison.Ordinal));

        Assert.Contains("service_name=\"orleans-sessions\"", target, StringComparison.Ordinal);
        Assert.Contains("service_version=\"", target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_NameTheServiceAsTheEnvironmentWantsIt()
    {
        await using var named = await ServerProcess.StartWithAsync(new() { ["OTEL_SERVICE_NAME"] = "chat-of-ours" });

        Assert.Contains("service_name=\"chat-of-ours\"", await named.Http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenApi_DescribesEveryEndpoint()
    {
        var document = await server.Http.CallAsync(HttpMethod.Get, "/openapi/v1.json");

        Assert.Equal(
            [
                "DELETE /v1/scopes/{scope}", "DELETE /v1/sessions/{id}", "GET /v1/sessions", "GET /v1/sessions/{id}", "GET /v1/sessions/{id}/events",
                "GET /v1/sessions/{id}/questions",
                "GET /v1/sessions/{id}/questions/{qid}",
                "POST /v1/sessions/{id}/questions", "POST /v1/sessions/{id}/questions/{qid}/answer", "POST /v1/sessions/{id}/questions/{qid}/cancel",
                "POST /v1/sessions/{id}/response",
            ],
            document.Body.GetProperty("paths").EnumerateObject()
                .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"))
                .Where(endpoint => endpoint.Contains("/v1/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/asyncapi.json", "docs/asyncapi.json")]
    [InlineData("/schemas/socket.schema.json", "docs/schemas/socket.schema.json")]
    public async Task Documents_AreServedAsTheyAreInTheRepository(string path, string file)
    {
        var served = await server.Http.GetStringAsync(path);

        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(RepositoryFolder.Path, file)), served);
        JsonDocument.Parse(served).Dispose();
    }

    [Fact]
    public async Task Page_IsServedWithItsScriptsUnderAStrictPolicy()
    {
        using var page = await server.Http.GetAsync("/");

        Assert.Contains("script-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(Path.Combine(RepositoryFolder.Path, "src", "OrleansSessions.Server", "Page"))
            .Where(file => Path.GetExtension(file) is not ".cs").Select(Path.GetFileName))
        {
            using var response = await server.Http.GetAsync($"/{file}");
            Assert.True(response.IsSuccessStatusCode, $"/{file} returned {response.StatusCode}.");
        }
    }

    [Fact]
    public async Task Start_WithABadConfiguration_NamesEveryMistakeAndEnds()
    {
        await using var process = ServerProcess.Launch(
            "server with a bad configuration",
            [RepositoryFolder.ServerDll, "--urls=http://127.0.0.1:0", "--SocketGateway:MaxConnections=0", "--Responder:Name=oracle", "--Sessions:Tpyo=1"]);

        Assert.Equal(2, await process.ExitAsync(TimeSpan.FromSeconds(60)));

        foreach (var word in new[] { "SocketGateway:MaxConnections", "'0'", "oracle", "Tpyo" })
        {
            Assert.Contains(word.Trim('\''), process.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--urls=http://localhost:99999", "from 0 to 65535")]
    [InlineData("--urls=ftp://localhost:5080", "ftp://localhost:5080")]
    [InlineData("--Kestrel:Endpoints:A:Protocols=Http1", "The endpoint A is missing the required 'Url'")]
    [InlineData("--Kestrel:Endpoints:A:Url=https://127.0.0.1:0 --Kestrel:Endpoints:A:Certificate:Path=/no/such.pfx", "/no/such.pfx")]
    [InlineData(
        "--Kestrel:Endpoints:A:Url=https://127.0.0.1:0 --Kestrel:Endpoints:A:Certificate:Path=OrleansSessions.Server.dll", "A certificate of section Kestrel")]
    [InlineData("--urls=http://203.0.113.7:5080 --Auth:AllowAnonymous=true", "not one of this machine")]
    [InlineData("--Logging:LogLevel:Default=Loud", "'Loud'")]
    [InlineData("--Kestrel:Limits:MaxRequestBodySize=much", "Kestrel:Limits:MaxRequestBodySize")]
    [InlineData("--config=OrleansSessions.Server.dll", "OrleansSessions.Server.dll")]
    public async Task Start_WithASettingThatTheFrameworkRefuses_SaysWhich_WithoutAStackTrace(string arguments, string reason)
    {
        await using var process = ServerProcess.Launch(
            "server with a setting that the framework refuses", [RepositoryFolder.ServerDll, "--Sessions:Persistence=Memory", .. arguments.Split(' ')]);

        Assert.Equal(1, await process.ExitAsync(TimeSpan.FromSeconds(60)));
        var line = Assert.Single(process.Output.Split('\n'), line => line.Contains("The server cannot start: ", StringComparison.Ordinal));
        Assert.Contains(reason, line, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", process.Output, StringComparison.Ordinal);
    }
}
