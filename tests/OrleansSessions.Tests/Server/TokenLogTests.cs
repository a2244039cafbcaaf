using System.Diagnostics;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Tokens;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>With every category at Trace, and with every request traced, a token is in no line and no tag.</summary>
public sealed class TokenLogTests
{
    private const string ApiKey = "api-key-that-is-in-no-log";
    private const string SharedKey = "a-shared-key-that-must-not-be-logged-either";
    private static readonly string Valid = new TestToken().SignedWith(SharedKey);
    private static readonly string Expired = (new TestToken() with { ExpiresAt = TimeProvider.System.GetUtcNow().AddHours(-1) }).SignedWith(SharedKey);
    private static readonly string Forged = (new TestToken() with { Subject = "mallory" }).SignedWith("a-key-that-this-server-does-not-know");
    private static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ApiKey)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Token_IsNeverLogged_WhereverItIsSent_AndWhetherOrNotItIsValid(bool isAccepted)
    {
        var traced = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => traced.Enqueue($"{activity.DisplayName} {string.Join(' ', activity.TagObjects)}"),
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await RunningServer.StartAsync(
            "Logging:LogLevel:Default=Trace", "Logging:LogLevel:Microsoft.AspNetCore=Trace", "Logging:LogLevel:OrleansSessions=Trace",
            "Logging:LogLevel:Orleans=Trace",
            "Logging:LogLevel:System.Net.Http=Trace", "Logging:LogLevel:Microsoft.Orleans=Trace",
            $"Auth:Jwt:Issuer={TestToken.DefaultIssuer}", $"Auth:Jwt:Audience={TestToken.DefaultAudience}", $"Auth:Jwt:Keys:a={SharedKey}",
            $"Auth:ApiKeys:a={Hash}", $"Auth:AllowTokenInQuery={isAccepted}");

        foreach (var token in new[] { ApiKey, Valid, Expired, Forged, "garbage-that-is-no-token" })
        {
            string[] queries =
                [$"?access_token={token}", $"?v=1&access%5Ftoken={token}", $"?access_token={token}&access_token={token}", $"?%61CCESS_token={token}"];
            foreach (var query in queries)
            {
                await SendAsync(server, query);
                await ConnectAsync(server, $"/ws/s{query}", token: null);
            }

            using (await server.DescribeAsync(token))
            {
            }

            await ConnectAsync(server, "/ws/s", token);
            Assert.StartsWith("HTTP/1.1 400", await SendMalformedAsync(server, token), StringComparison.Ordinal);
        }

        var lines = server.Log.Lines.Select(line => $"{line.Category}: {line.Message} {line.Fault}").Concat(traced).ToList();
        Assert.Contains(lines, line => line.Contains("Request starting", StringComparison.Ordinal));
        Assert.NotEmpty(traced);
        string[] secrets = [ApiKey, Hash, SharedKey, Valid, Expired, Forged, "garbage-that-is-no-token", .. new[] { Valid, Expired, Forged }.SelectMany(Parts)];
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(lines, line => line.Contains(secret, StringComparison.OrdinalIgnoreCase));
        }
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "&access_token=another")]
    public async Task Token_InTheQuery_OpensSocketsAndEventStreams_WhereItIsAccepted(bool isUsed, string more)
    {
        await using var server = await RunningServer.StartAsync($"Auth:ApiKeys:a={Hash}", "Auth:AllowTokenInQuery=true");

        using var stream = await server.GetAsync($"/v1/sessions/s/events?access_token={ApiKey}{more}", ("Accept", "text/event-stream"));
        using var plain = await server.GetAsync($"/v1/sessions/s?access_token={ApiKey}{more}");
        await using var page = await CheckedSocket.ConnectAsync(server.Socket($"/ws/s?v=1&access_token={ApiKey}{more}"), WireProfile.V1, options =>
            options.SetRequestHeader("Origin", server.Http.BaseAddress!.GetLeftPart(UriPartial.Authority)));

        Assert.Equal((isUsed ? 200 : 401, 401), ((int)stream.StatusCode, (int)plain.StatusCode));
        Assert.Equal(isUsed ? "hello" : "error", (await page.NextAsync()).Type());
    }

    [Fact]
    public async Task Token_OfTheHeader_WinsOverTheQuery()
    {
        await using var server = await RunningServer.StartAsync($"Auth:ApiKeys:a={Hash}", "Auth:AllowTokenInQuery=true");

        using var refused = await server.GetAsync(
            $"/v1/sessions/s/events?access_token={ApiKey}", ("Accept", "text/event-stream"), ("Authorization", "Bearer wrong"));

        await RunningServer.RefusedAsync(WireErrors.Unauthorized, refused);
    }

    private static IEnumerable<string> Parts(string token) => token.Split('.').Skip(1);

    private static async Task SendAsync(RunningServer server, string query)
    {
        foreach (var accept in new[] { "application/json", "text/event-stream" })
        {
            using var reply = await server.GetAsync($"/v1/sessions/s/events{query}", ("Accept", accept));
        }

        using var page = await server.GetAsync($"/{query}");
        using var metrics = await server.GetAsync($"/metrics{query}", ("X-Forwarded-For", "192.0.2.7"));
    }

    /// <summary>A request whose address is not valid never gets as far as the server's own code.</summary>
    private static async Task<string> SendMalformedAsync(RunningServer server, string token)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(server.Http.BaseAddress!.Host, server.Http.BaseAddress.Port, TestContext.Current.CancellationToken);
        await using var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET no-path?access_token={token} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync(TestContext.Current.CancellationToken) ?? "";
    }

    private static async Task ConnectAsync(RunningServer server, string path, string? token)
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(CheckedSocket.V1);
        if (token is not null)
        {
            socket.Options.AddSubProtocol("bearer." + System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(token)));
        }

        try
        {
            await socket.ConnectAsync(server.Socket(path), TestContext.Current.CancellationToken);
        }
        catch (WebSocketException)
        {
            // A refusal. What it is, other tests check.
        }
    }
}
