using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Access;

/// <summary>Who is served, with which claims, without a token, and what is written down about it.</summary>
public sealed class CallerTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _session = GatewayFixture.NewSession();
    private readonly List<SocketHost> _hosts = [];
    private readonly RecordedLog _log = new();

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        _log.Dispose();
    }

    [Fact]
    public async Task SubjectsOfATenant_ShareTheirSessions_AndOnlyTheyDo()
    {
        var host = await StartAsync(auth => auth.TenantClaim = TestTokens.TenantClaim);
        var (alice, bob, eve) = (Of(host, "alice", "acme"), Of(host, "bob", "acme"), Of(host, "eve", "evil"));
        await alice.SendAsync(HttpMethod.Post, $"/v1/sessions/{_session}/questions", new { question = "shared?", id = "q-1" });

        Assert.Equal(200, (await bob.SendAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions/q-1")).Status);
        Assert.Equal(404, (await eve.SendAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions/q-1")).Status);

        // A subject that has the name of the tenant is not its member.
        Assert.Equal((403, "forbidden"), await Of(host, "acme", "").RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}"));

        // Neither is one of several tenants, whose order can change.
        Assert.Equal((403, "forbidden"), await Of(host, "alice", "acme,evil").RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}"));
    }

    [Fact]
    public async Task AnIdentityWithoutASubject_IsForbidden_AndNotAnonymous()
    {
        var host = await StartAsync(auth => auth.AllowAnonymous = true);

        Assert.Equal((403, "forbidden"), await Of(host, "", "").RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}"));
    }

    [Fact]
    public async Task AnotherClaim_CanNameTheCaller()
    {
        var host = await StartAsync(auth => auth.SubjectClaim = TestTokens.TenantClaim);

        Assert.Equal(404, (await Of(host, "", "acme").SendAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).Status);
        Assert.Equal((403, "forbidden"), await Of(host, "alice", "").RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}"));
        Assert.Equal((403, "forbidden"), await Of(host, "alice", "acme,evil").RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}"));
    }

    [Fact]
    public async Task WithAuthentication_ACallerWithoutAToken_IsServedOnlyIfThatIsAllowed()
    {
        var closed = await StartAsync(_ => { });
        var open = await StartAsync(auth => auth.AllowAnonymous = true);

        Assert.Equal((401, "unauthorized"), await new Subject(closed, null).RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}"));
        Assert.Equal(404, (await new Subject(open, null).SendAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).Status);

        // A token that is not valid is not the same as none.
        Assert.Equal((401, "unauthorized"), await new Subject(open, "garbage").RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}"));
    }

    [Fact]
    public async Task AHostThatLetsItsOwnAuthorizationPassOverTheEndpoints_LetsNoStrangerIn()
    {
        var host = await StartAsync(
            _ => { },
            builder => builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build()),
            configureEndpoints: endpoints => endpoints.AllowAnonymous());
        var stranger = new Subject(host, null);

        Assert.Equal((401, "unauthorized"), await stranger.RefusedAsync(HttpMethod.Delete, $"/v1/scopes/{TestTokens.ScopeOf("alice")}"));
        Assert.Equal((401, "unauthorized"), await stranger.RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}"));
        Assert.Equal((403, "permission_denied"), await Subject.Named(host, "alice").RefusedAsync(HttpMethod.Delete, $"/v1/scopes/{TestTokens.ScopeOf("alice")}"));

        // A browser sends no token with its question before the request.
        Assert.Equal(204, (await stranger.SendAsync(HttpMethod.Options, $"/v1/sessions/{_session}")).Status);
    }

    [Theory]
    [InlineData(null, null, 404)]
    [InlineData("X-Forwarded-For", "192.0.2.7", 401)]
    [InlineData("Via", "1.1 proxy", 401)]
    [InlineData("Host", "chat.example.com", 401)]
    public async Task WithoutAuthentication_OnlyProgramsOnThisMachineAreServed_AndNotThoseBehindAProxy(string? header, string? value, int status)
    {
        var host = await StartAsync(_ => { }, builder => builder.Configuration["AllowedHosts"] = "localhost;127.0.0.1;chat.example.com", hasTokens: false);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{_session}");
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }

        using var response = await host.Http.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task ARefusalForAMissingToken_SaysSoInTheHeader()
    {
        var host = await StartAsync(_ => { });

        using var response = await host.Http.GetAsync(new Uri($"/v1/sessions/{_session}", UriKind.Relative));

        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Theory]
    [InlineData(null, 200)]
    [InlineData("X-Forwarded-For", 403)]
    [InlineData("X-Original-For", 403)]
    [InlineData("Forwarded", 403)]
    [InlineData("Host", 403)]
    public async Task AnsweringWithoutAToken_IsLeftToThisMachine_AndAProxyMakesItAnother(string? header, int status)
    {
        var host = await StartAsync(
            auth => auth.AllowAnonymous = true, builder => builder.Configuration["AllowedHosts"] = "localhost;127.0.0.1;chat.example.com");
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/v1/sessions/{_session}");
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation(header, header == "Host" ? "chat.example.com" : "127.0.0.1");
        }

        using var response = await host.Http.SendAsync(request);

        Assert.Equal(status == 200 ? 204 : status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData(true, 404, 403)]
    [InlineData(false, 401, 401)]
    public async Task OnAnAddressThatOthersCanReach_NoOneIsAnonymous_UnlessThatIsAllowed_AndThenNoOneAnswers(bool isAllowed, int reads, int answers)
    {
        var host = await StartAsync(auth => auth.AllowAnonymous = isAllowed, builder => builder.WebHost.UseUrls("http://0.0.0.0:0"), hasTokens: false);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{host.Address.Port}") };

        Assert.Equal(reads, (int)(await http.GetAsync(new Uri($"/v1/sessions/{_session}", UriKind.Relative))).StatusCode);
        Assert.Equal(answers, (int)(await http.DeleteAsync(new Uri($"/v1/sessions/{_session}", UriKind.Relative))).StatusCode);
        using var answer = new StringContent("""{"response":"x"}""", System.Text.Encoding.UTF8, "application/json");
        Assert.Equal(answers, (int)(await http.PostAsync(new Uri($"/v1/sessions/{_session}/response", UriKind.Relative), answer)).StatusCode);
    }

    [Fact]
    public async Task Refusals_Removals_AndActsInOtherScopes_AreAudited_WithWhoAndFromWhere_AndNoText()
    {
        var host = await StartAsync(_ => { }, builder => builder.Logging.AddProvider(_log).SetMinimumLevel(LogLevel.Trace));
        var alice = Subject.Named(host, "alice\r\nforged");
        var admin = Subject.Named(host, "root", "sessions:admin");
        await alice.SendAsync(HttpMethod.Post, $"/v1/sessions/{_session}/questions", new { question = "the text of the question" });

        await new Subject(host, "secret-garbage").RefusedAsync(HttpMethod.Get, $"/v1/sessions/{_session}?access_token=secret-garbage");
        await alice.RefusedAsync(HttpMethod.Post, $"/v1/sessions/{_session}/response", new { response = "the text of the answer" });
        await admin.SendAsync(HttpMethod.Get, $"/v1/sessions/{_session}?scope={TestTokens.ScopeOf("alice")}");
        await alice.SendAsync(HttpMethod.Delete, $"/v1/sessions/{_session}");

        var scope = TestTokens.ScopeOf("alice\r\nforged");
        Assert.Equal(
            [
                $"Refused: GET /v1/sessions/{_session}, by anonymous, from 127.0.0.1: unauthorized",
                $"Refused: POST /v1/sessions/{_session}/response, by alice??forged, from 127.0.0.1: permission_denied",
                $"In another scope: GET /v1/sessions/{_session}, by root, from 127.0.0.1, in scope {TestTokens.ScopeOf("alice")}",
                $"Removed: DELETE /v1/sessions/{_session}, by alice??forged, from 127.0.0.1, in scope {scope}",
            ],
            _log.From(AuditLog.Category).Select(line => line.Message));
        Assert.DoesNotContain(_log.Lines, line => line.Category.StartsWith("OrleansSessions", StringComparison.Ordinal)
            && (line.Message.Contains("secret", StringComparison.Ordinal) || line.Message.Contains("the text", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task RefusedMessages_AreAudited_WithTheAddressOfTheirSocket()
    {
        var host = await StartAsync(
            _ => { }, builder => builder.Logging.AddProvider(_log), configure: options => (options.MaxMessagesPerMinute, options.MaxBadRequests) = (30, 9));
        await using var socket = await Subject.Named(host, "worker", "sessions:answer").ConnectAsync(_session, $"?v=1&scope={TestTokens.ScopeOf("alice")}");
        await socket.NextAsync("hello");
        string[] messages = ["""{"question":"the text"}""", """{"type":"auth","token":"garbage"}""", """{"type":"ping"}""", """{"type":"ping"}"""];
        foreach (var message in messages)
        {
            await socket.SendAsync(message);
            await socket.NextAsync();
        }

        string[] codes = ["permission_denied", "unauthorized", "rate_limited"];
        Assert.Equal(
            codes.Select(code => $"Refused: message on a socket of session {_session}, by worker, from 127.0.0.1: {code}"),
            _log.From(AuditLog.Category).Select(line => line.Message).Where(line => line.StartsWith("Refused", StringComparison.Ordinal)));
    }

    [Fact]
    public void ActsInAnotherScope_HaveOneLineOfAKindInAMinute_AndThenTheirNumber()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(_log));
        var audit = new AuditLog(factory, clock);
        for (var i = 0; i < 1000; i++)
        {
            audit.ActedElsewhere(new DefaultHttpContext(), Worker("one"));
        }

        audit.ActedElsewhere(new DefaultHttpContext(), Worker("two"));
        Assert.Equal(["one", "two"], _log.Lines.Select(line => line.Message[^3..]));

        clock.Advance(TimeSpan.FromMinutes(1));
        audit.ActedElsewhere(new DefaultHttpContext(), Worker("one"));
        Assert.Contains("by worker, in scope one, 999 more times", _log.Lines.ElementAt(2).Message);
        Assert.Equal(4, _log.Lines.Count);
    }

    [Fact]
    public void ActsInMoreScopesThanTheLogTellsApart_AreCounted()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(_log));
        var audit = new AuditLog(factory, clock);
        for (var i = 0; i < 1000; i++)
        {
            audit.ActedElsewhere(new DefaultHttpContext(), Worker($"{i}"));
        }

        Assert.Equal(600, _log.Lines.Count);
        clock.Advance(TimeSpan.FromMinutes(1));
        audit.ActedElsewhere(new DefaultHttpContext(), Worker("one"));
        Assert.Contains("400 more acts", _log.Lines.ElementAt(600).Message);
        Assert.Equal(602, _log.Lines.Count);
    }

    [Fact]
    public void AFloodOfRefusals_DoesNotFloodTheAuditLog()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(_log));
        var audit = new AuditLog(factory, clock);
        for (var i = 0; i < 1000; i++)
        {
            audit.Refused("GET /", "anonymous", "127.0.0.1", WireErrors.Unauthorized.Code);
        }

        Assert.Equal(600, _log.Lines.Count);
        clock.Advance(TimeSpan.FromMinutes(1));
        audit.Refused("GET /", "anonymous", "127.0.0.1", WireErrors.Unauthorized.Code);
        Assert.Contains("400 more refusals", _log.Lines.ElementAt(600).Message);
        Assert.Equal(602, _log.Lines.Count);
    }

    [Fact]
    public void WithoutAPolicy_NoSessionCanBeReached() =>
        Assert.Throws<InvalidOperationException>(() => SessionAccess.Of(new DefaultHttpContext()));

    [Fact]
    public async Task MoreMessagesThanASocketMaySend_AreRefused_AndThenItIsClosedWith4008()
    {
        var host = await StartAsync(_ => { }, configure: options => (options.MaxMessagesPerMinute, options.MaxBadRequests) = (30, 2));
        await using var socket = await Subject.Named(host, "alice").ConnectAsync(_session);
        Assert.Equal(30, (await socket.NextAsync("hello")).GetProperty("limits").GetProperty("messages_per_minute").GetInt32());
        for (var i = 0; i < 3; i++)
        {
            await socket.SendAsync("""{"type":"ping"}""");
            await socket.NextAsync("ping");
        }

        await socket.SendAsync("""{"type":"ping"}""");
        var refused = await socket.NextAsync("error");
        Assert.Equal("rate_limited", refused.GetProperty("code").GetString());
        Assert.InRange(refused.GetProperty("retry_after_ms").GetInt64(), 1, 2_000);
        await socket.SendAsync("""{"question":"x"}""");
        Assert.Equal(4008, await socket.ClosedAsync());
    }

    private static SessionAccess Worker(string scope) =>
        new(new() { Scope = "own", Rights = SessionRights.Follow, Subject = "worker", Issuer = TestTokens.Issuer }, scope, SessionRights.Follow);

    private static Subject Of(SocketHost host, string subject, string tenant) => new(host, TestTokens.Of(subject, tenant: tenant));

    private async Task<SocketHost> StartAsync(
        Action<AuthOptions> auth, Action<WebApplicationBuilder>? configureHost = null, bool hasTokens = true,
        Action<OrleansSessions.SocketGateway.SocketGatewayOptions>? configure = null, Action<IEndpointConventionBuilder>? configureEndpoints = null)
    {
        var host = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, configure, isReady: false, configureHost: builder =>
        {
            if (hasTokens)
            {
                builder.AddTestTokens();
            }

            builder.Services.Configure(auth);
            configureHost?.Invoke(builder);
        }, configureEndpoints: configureEndpoints);
        _hosts.Add(host);
        return host;
    }
}
