using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Access;

/// <summary>A server that other machines could reach does not start without authentication. Nothing here listens beyond loopback: it ends before.</summary>
public sealed class StartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("http://*:8080", "ASPNETCORE_HTTP_PORTS", "8080")]
    [InlineData("http://0.0.0.0:5080", "ASPNETCORE_URLS", "http://0.0.0.0:5080")]
    [InlineData("http://[::]:5080", "Kestrel__Endpoints__Main__Url", "http://[::]:5080")]
    public async Task Start_OnAnOpenAddress_WithoutAuthentication_SaysSoInOneLine_AndEnds(string address, string variable, string value)
    {
        await using var process = ServerProcess.Launch("an open server", [RepositoryFolder.ServerDll], new() { [variable] = value });

        Assert.Equal(2, await process.ExitAsync(Patience));
        var line = Assert.Single(process.Output.Split('\n'), line => line.StartsWith("  - ", StringComparison.Ordinal));
        Assert.Contains($"reach it at {address}. ", line, StringComparison.Ordinal);
        Assert.All(
            ["Auth:Jwt:Authority", "Auth:Jwt:Keys", "Auth:ApiKeys", "Auth:AllowAnonymous=true"], key => Assert.Contains(key, line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_WithASecretThatIsTooShort_DoesNotPrintIt()
    {
        await using var process = ServerProcess.Launch(
            "a server with a short secret", [RepositoryFolder.ServerDll, "--Auth:Jwt:Audience=a", "--Auth:Jwt:Issuer=i"],
            new() { ["Auth__Jwt__Keys__a"] = "hunter2hunter2" });

        Assert.Equal(2, await process.ExitAsync(Patience));
        Assert.Contains("Auth:Jwt:Keys:a is not valid", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithTheFrameworksForwardedHeaders_IsRefused()
    {
        await using var process = ServerProcess.Launch(
            "a server that would believe everyone", [RepositoryFolder.ServerDll], new() { ["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true" });

        Assert.Equal(2, await process.ExitAsync(Patience));
        Assert.Contains("Server:KnownProxies", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OnAUnixSocket_NeedsNoAuthentication()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The path is that of a Unix socket.");
        var folder = Directory.CreateTempSubdirectory("sessions-");
        try
        {
            var path = Path.Combine(folder.FullName, "server.sock");
            await using var process = ServerProcess.Launch(
                "a server on a Unix socket", [RepositoryFolder.ServerDll, $"--urls=http://unix:{path}", "--Sessions:Persistence=Memory"]);
            await process.UntilAsync(() => Task.FromResult(process.Output.Contains("role All", StringComparison.Ordinal)), "it has started", Patience);
            using var http = new HttpClient(new SocketsHttpHandler
            {
                ConnectCallback = async (_, token) =>
                {
                    var socket = new System.Net.Sockets.Socket(
                        System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                    await socket.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(path), token);
                    return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
                },
            });

            using var asked = await http.GetAsync("http://localhost/v1/sessions/s/questions", TestContext.Current.CancellationToken);
            using var metrics = await http.GetAsync("http://localhost/metrics", TestContext.Current.CancellationToken);

            Assert.Equal((200, 403), ((int)asked.StatusCode, (int)metrics.StatusCode));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
