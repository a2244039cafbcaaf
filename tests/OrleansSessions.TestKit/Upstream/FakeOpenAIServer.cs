using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.TestKit.Upstream;

/// <summary>
/// A real HTTP server on loopback that implements OpenAI's streaming chat completions, one scripted step at a time.
/// Without a script each request waits for the test: take it with <see cref="NextAsync"/> and control its answer.
/// </summary>
public sealed class FakeOpenAIServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<FakeOpenAIExchange> _waiting =
        Channel.CreateBounded<FakeOpenAIExchange>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.Wait });

    private FakeOpenAIServer(WebApplication app, Func<FakeOpenAIExchange, Task>? script)
    {
        _app = app;
        app.MapPost("/v1/chat/completions", context => ServeAsync(context, script));
    }

    /// <summary>The value for <c>Responder:OpenAI:Endpoint</c>.</summary>
    public string Endpoint => $"{_app.Urls.Single()}/v1";

    /// <param name="script">Answers every request, or null if the test controls each request.</param>
    public static async Task<FakeOpenAIServer> StartAsync(Func<FakeOpenAIExchange, Task>? script = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        // An exchange that its test left open must not block the shutdown.
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        var server = new FakeOpenAIServer(builder.Build(), script);
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Returns the next request that no script answers, in order of arrival.</summary>
    public async Task<FakeOpenAIExchange> NextAsync(CancellationToken cancellationToken) => await _waiting.Reader.ReadAsync(cancellationToken);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task ServeAsync(HttpContext context, Func<FakeOpenAIExchange, Task>? script)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        var exchange = new FakeOpenAIExchange(context, body.RootElement.Clone());
        if (script is not null)
        {
            await script(exchange);
        }
        else
        {
            await _waiting.Writer.WriteAsync(exchange, context.RequestAborted);
        }

        await exchange.Ended;
    }
}
