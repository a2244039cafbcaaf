using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.Benchmarks.Failover;

/// <summary>An OpenAI-compatible endpoint on loopback that answers slowly, never ends by itself, and knows when a connection was closed.</summary>
internal sealed class SlowUpstream : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly byte[] Chunk = Encoding.UTF8.GetBytes("""data: {"choices":[{"index":0,"delta":{"content":"word "}}]}""" + "\n\n");

    private readonly ConcurrentDictionary<string, TaskCompletionSource<long>> _closed = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private SlowUpstream(WebApplication app) => _app = app;

    /// <summary>The value for <c>Responder:OpenAI:Endpoint</c>.</summary>
    public string Endpoint => $"{_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()}/v1";

    public static async Task<SlowUpstream> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var upstream = new SlowUpstream(app);
        app.MapPost("/v1/chat/completions", upstream.AnswerAsync);
        await app.StartAsync(cancellationToken);
        return upstream;
    }

    /// <summary>Completes when the connection of the question with this text was closed by the other side, with the time as a timestamp.</summary>
    public Task<long> ClosedAsync(string question) => Of(question).Task;

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var question = await ReadQuestionAsync(context);
        var closed = Of(question);
        await using var aborted = context.RequestAborted.Register(() => closed.TrySetResult(Stopwatch.GetTimestamp()));
        context.Response.ContentType = "text/event-stream";
        try
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(Chunk, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(Pause, TimeProvider.System, context.RequestAborted);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The other side has closed the connection, which is how every answer here ends.
        }
    }

    private static async Task<string> ReadQuestionAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
        return body.RootElement.GetProperty("messages").EnumerateArray().Last().GetProperty("content").GetString()!;
    }

    private TaskCompletionSource<long> Of(string question) =>
        _closed.GetOrAdd(question, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
