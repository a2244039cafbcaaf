using System.Net;
using OrleansSessions.Server.Hosting;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>On loopback, no response of the server can be read through a foreign host name that resolves to this machine.</summary>
public sealed class HostNameTests
{
    private static readonly HttpClient Http = new();

    [Theory]
    [InlineData("/", "/app.js", "/metrics", "/health/ready", "/openapi/v1.json", "/asyncapi.json", "/v1/sessions/s", "/nowhere")]
    public async Task AnyAddress_UnderAForeignName_IsForbidden(params string[] paths)
    {
        var token = TestContext.Current.CancellationToken;
        await using var app = ServerBuilder.Build(["--urls", "http://127.0.0.1:0", "--Sessions:Persistence=Memory", "--Logging:LogLevel:Default=None"]);
        await app.StartAsync(token);
        foreach (var path in paths)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, app.Urls.Single() + path);
            request.Headers.Host = "evil.example";
            using var reply = await Http.SendAsync(request, token);

            Assert.Equal((path, HttpStatusCode.Forbidden), (path, reply.StatusCode));
            Assert.Contains("AllowedHosts", await reply.Content.ReadAsStringAsync(token), StringComparison.Ordinal);
        }

        await app.StopAsync(token);
    }
}
