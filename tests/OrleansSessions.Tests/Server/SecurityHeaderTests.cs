using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Server;

public sealed class SecurityHeaderTests(SecurityHeaderTests.Fixture fixture) : IClassFixture<SecurityHeaderTests.Fixture>
{
    [Theory]
    [InlineData("/", 200)]
    [InlineData("/app.js", 200)]
    [InlineData("/asyncapi.json", 200)]
    [InlineData("/openapi/v1.json", 200)]
    [InlineData("/health/live", 200)]
    [InlineData("/metrics", 200)]
    [InlineData("/v1/sessions/none", 404)]
    [InlineData("/v1/nowhere", 404)]
    [InlineData("/ws/s", 400)]
    [InlineData("/broken", 500)]
    public async Task EveryResponse_TellsBrowsersToBeStrict_AndNotWhatServesIt(string path, int status)
    {
        using var reply = await fixture.Server.GetAsync(path);

        Assert.Equal(status, (int)reply.StatusCode);
        foreach (var (name, value) in new[]
        {
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"), ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        })
        {
            Assert.Equal((name, value), (name, Assert.Single(reply.Headers.GetValues(name))));
        }

        Assert.Empty(reply.Headers.Server);
        Assert.False(reply.Headers.Contains("Strict-Transport-Security"));
    }

    [Theory]
    [InlineData("https", "chat.example.com", true)]
    [InlineData("http", "chat.example.com", false)]
    [InlineData("https", "localhost", false)]
    public async Task StrictTransport_IsAskedFor_OverHttps_ButNotForLocalhost(string scheme, string host, bool isAskedFor)
    {
        using var reply = await fixture.Server.GetAsync("/", ("X-Forwarded-Proto", scheme), ("X-Forwarded-Host", host));

        Assert.Equal(isAskedFor ? ["max-age=31536000"] : [], reply.Headers.TryGetValues("Strict-Transport-Security", out var values) ? values : []);
    }

    [Fact]
    public async Task UnhandledFault_IsAProblemWithoutDetails_AndTheLogHasItsKindOnly()
    {
        using var reply = await fixture.Server.GetAsync("/broken");

        var problem = await RunningServer.RefusedAsync(WireErrors.Internal, reply);
        Assert.Equal("The server failed.", problem.Text("detail"));
        Assert.NotNull(problem.Text("trace_id"));
        var lines = fixture.Server.Log.From("FaultExtensions").ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains("InvalidOperationException", line.Fault!.ToString(), StringComparison.Ordinal));
        Assert.DoesNotContain(fixture.Server.Log.Lines, line => $"{line.Message} {line.Fault}".Contains(Fixture.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task UnhandledFault_InDevelopment_IsShownInFull()
    {
        await using var server = await RunningServer.StartAsync(
            null, app => app.MapGet("/broken", string () => throw new InvalidOperationException(Fixture.Secret)), "environment=Development");

        using var reply = await server.GetAsync("/broken");

        Assert.Contains(Fixture.Secret, await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestThatTheWebServerRefuses_IsAProblemToo()
    {
        await using var server = await RunningServer.StartAsync(
            null, app => app.MapPost("/body", async (HttpRequest request) => await new StreamReader(request.Body).ReadToEndAsync()),
            "Kestrel:Limits:MaxRequestBodySize=10");

        using var reply = await server.Http.PostAsync("/body", new StringContent(new string('x', 11)), TestContext.Current.CancellationToken);

        await RunningServer.RefusedAsync(WireErrors.MessageTooLarge, reply);
        Assert.Empty(server.Log.From("FaultExtensions"));
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal const string Secret = "what the exception says";

        internal RunningServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await RunningServer.StartAsync(
            null, app => app.MapGet("/broken", string () => throw new InvalidOperationException(Secret)), "Server:KnownProxies:0=127.0.0.1", "AllowedHosts=*",
            "SocketGateway:AllowedOrigins:0=https://chat.example.com");

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
