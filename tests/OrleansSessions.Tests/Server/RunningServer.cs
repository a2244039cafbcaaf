using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.Protocol;
using OrleansSessions.Server.Hosting;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>The product's server in this process, on loopback and a free port, with everything that it logs.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningServer(WebApplication app, RecordedLog log)
    {
        (_app, Log) = (app, log);
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    public RecordedLog Log { get; }

    /// <param name="settings">Keys and values: <c>Auth:AllowAnonymous=true</c>. Sessions are in memory, unless they say otherwise.</param>
    public static Task<RunningServer> StartAsync(params string[] settings) => StartAsync(null, null, settings);

    /// <param name="map">Adds to the application, for example an endpoint.</param>
    public static async Task<RunningServer> StartAsync(Action<WebApplicationBuilder>? configure, Action<WebApplication>? map, params string[] settings)
    {
        var log = new RecordedLog();
        string[] args = ["--urls=http://127.0.0.1:0", "--Sessions:Persistence=Memory", .. settings.Select(setting => "--" + setting)];
        var app = ServerBuilder.Build(args, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<ILoggerProvider>(log);
            configure?.Invoke(builder);
        });
        map?.Invoke(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(app, log);
    }

    public Uri Socket(string pathAndQuery) => new($"ws://{Http.BaseAddress!.Authority}{pathAndQuery}");

    public async Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>Describes a session that does not exist: 404 says that the caller was let in.</summary>
    public Task<HttpResponseMessage> DescribeAsync(string? token) =>
        GetAsync("/v1/sessions/none", token is null ? [] : [("Authorization", $"Bearer {token}")]);

    /// <summary>Opens a socket as a page does, with its token as a subprotocol.</summary>
    public Task<CheckedSocket> ConnectAsPageAsync(string? token) => CheckedSocket.ConnectAsync(Socket("/ws/s"), WireProfile.V1, options =>
    {
        options.AddSubProtocol(CheckedSocket.V1);
        options.SetRequestHeader("Origin", Http.BaseAddress!.GetLeftPart(UriPartial.Authority));
        if (token is not null)
        {
            options.AddSubProtocol("bearer." + System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(token)));
        }
    });

    /// <summary>Checks that a request is refused with exactly this error, as a problem document.</summary>
    public static async Task<JsonElement> RefusedAsync(WireError error, HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal((error.HttpStatus, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Equal(error.HttpStatus == 401 ? [new AuthenticationHeaderValue("Bearer")] : [], response.Headers.WwwAuthenticate);
        var problem = JsonSerializer.Deserialize<JsonElement>(body);
        Assert.Equal((error.Code, error.IsRetryable), (problem.Text("code"), problem.Flag("retryable")));
        return problem;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
