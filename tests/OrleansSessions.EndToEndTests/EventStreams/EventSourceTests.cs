using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrleansSessions.EndToEndTests.Page;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.EventStreams;

/// <summary>A browser's own <c>EventSource</c>, behind a proxy that breaks the connection in the middle of an answer.</summary>
public sealed class EventSourceTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>, IAsyncLifetime
{
    private const int LinesBeforeTheBreak = 9;

    private readonly string _session = Names.Session("source");
    private readonly ConcurrentQueue<string> _lastEventIds = new();
    private WebApplication? _proxy;

    public async ValueTask InitializeAsync()
    {
        fixture.SkipIfAbsent();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _proxy = builder.Build();
        _proxy.MapGet("/", () => Results.Content("<!doctype html><title>A page</title>", "text/html"));
        _proxy.MapGet("/v1/{**rest}", PassOnAsync);
        await _proxy.StartAsync();
    }

    public ValueTask DisposeAsync() => _proxy?.DisposeAsync() ?? default;

    [Fact]
    public async Task EventSource_WhoseConnectionBreaks_ComesBackByItself_AndMissesNothing()
    {
        var page = await fixture.Browser.NewPageAsync();
        await page.GotoAsync(_proxy!.Urls.Single());
        await page.EvaluateAsync(
            """
            path => {
              window.text = ''; window.seqs = []; window.stopped = false; window.isReady = false;
              const source = new EventSource(path);
              source.onmessage = event => {
                const frame = JSON.parse(event.data);
                window.isReady ||= frame.type === 'hello';
                if (frame.type === 'delta' && frame.seq > (window.seqs.at(-1) ?? 0)) window.text += frame.text;
                if (frame.seq && frame.type !== 'hello') window.seqs.push(frame.seq);
              };
              source.onerror = () => window.stopped = source.readyState === EventSource.CLOSED;
            }
            """,
            $"/v1/sessions/{_session}/events");
        var question = string.Join(' ', Enumerable.Range(1, 12).Select(number => $"word{number}"));
        await page.WaitForFunctionAsync("() => window.isReady");
        await fixture.Server.Http.AskAsync(_session, JsonSerializer.Serialize(new { id = "q-1", question }));

        await page.WaitForFunctionAsync("expected => window.text === expected", question, new() { Timeout = 30_000 });
        Assert.True(_lastEventIds.Count >= 2, $"The connection broke, so there must be several requests: {string.Join(", ", _lastEventIds)}.");
        Assert.Contains(_lastEventIds, id => id.Length > 0);

        // A removed session stops the EventSource, which would otherwise reconnect forever.
        await fixture.Server.Http.DeleteAsync($"/v1/sessions/{_session}");
        await page.WaitForFunctionAsync("() => window.stopped", null, new() { Timeout = 30_000 });
    }

    /// <summary>Forwards a stream line by line. The first stream breaks in the middle.</summary>
    private async Task PassOnAsync(HttpContext context)
    {
        var lastEventId = context.Request.Headers["Last-Event-ID"].ToString();
        _lastEventIds.Enqueue(lastEventId);
        var isFirst = _lastEventIds.Count == 1;
        using var response = await EventStreamClient.GetAsync(fixture.Server.Http, context.Request.Path, lastEventId.Length > 0 ? lastEventId : null);
        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        await context.Response.StartAsync();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        for (var lines = 0; await reader.ReadLineAsync(context.RequestAborted) is { } line; lines++)
        {
            if (isFirst && lines >= LinesBeforeTheBreak)
            {
                context.Abort();
                return;
            }

            await context.Response.WriteAsync(line + "\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
