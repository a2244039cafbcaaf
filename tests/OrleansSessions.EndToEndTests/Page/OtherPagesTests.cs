using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>Pages from other servers in a real browser: one whose origin the server allows, and one whose origin it does not allow.</summary>
public sealed class OtherPagesTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>, IAsyncLifetime
{
    private readonly string _session = Names.Session("other");
    private WebApplication? _pages;
    private ServerProcess? _server;

    private string Allowed => _pages!.Urls.Single();

    // Another host name for the same address is another origin.
    private string Foreign => Allowed.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

    public async ValueTask InitializeAsync()
    {
        fixture.SkipIfAbsent();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _pages = builder.Build();
        _pages.MapGet("/", () => Results.Content("<!doctype html><title>A page</title>", "text/html"));
        await _pages.StartAsync();
        _server = await ServerProcess.StartAsync(
            "Responder:Name=external", "SocketGateway:MaxConnections=1", $"SocketGateway:AllowedOrigins:0={Allowed}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        if (_pages is not null)
        {
            await _pages.DisposeAsync();
        }
    }

    [Fact]
    public async Task AnAllowedPage_AsksReadsAndCancels()
    {
        var page = await OpenAsync(Allowed);

        var seen = await page.EvaluateAsync<JsonElement>(
            """
            async base => {
              const asked = await fetch(`${base}/questions`, {
                method: 'POST', credentials: 'include', body: JSON.stringify({ question: 'hello' }),
                headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'q-1' },
              });
              const busy = await fetch(`${base}/questions`, {
                method: 'POST', body: JSON.stringify({ question: 'me too' }), headers: { 'Content-Type': 'application/json' },
              });
              const cancelled = await fetch(`${base}/questions/q-1/cancel`, { method: 'POST' });
              const history = await (await fetch(`${base}/questions`)).json();
              const removed = await fetch(base, { method: 'DELETE' });
              return {
                asked: asked.status, location: asked.headers.get('Location'), busy: (await busy.json()).code, retry: busy.headers.get('Retry-After'),
                cancelled: cancelled.status, history: history.questions.map(q => q.question_id).join(), removed: removed.status,
              };
            }
            """,
            Base);

        Assert.Equal((202, "session_busy", 202, 204), ((int)seen.Number("asked")!, seen.Text("busy"), (int)seen.Number("cancelled")!, (int)seen.Number("removed")!));
        Assert.Equal(($"/v1/sessions/{_session}/questions/q-1", "1", "q-1"), (seen.Text("location"), seen.Text("retry"), seen.Text("history")));
    }

    [Fact]
    public async Task AForeignPage_CanNeitherAskNorAnswerNorCancelNorReadNorConnect()
    {
        await _server!.Http.AskAsync(_session, """{"question":"hello","id":"q-1"}""");
        var page = await OpenAsync(Foreign);

        var seen = await page.EvaluateAsync<JsonElement>(
            """
            async base => {
              const json = { 'Content-Type': 'application/json' };
              const forged = JSON.stringify({ response: 'forged' });
              const attempts = [
                fetch(`${base}/questions`, { method: 'POST', headers: json, body: JSON.stringify({ question: 'x', if_busy: 'replace' }) }),
                fetch(`${base}/response`, { method: 'POST', headers: json, body: forged }),
                fetch(`${base}/questions/q-1/cancel`, { method: 'POST' }),
                fetch(`${base}/questions`),
                fetch(base, { method: 'DELETE' }),
              ];
              const simple = [
                fetch(`${base}/response`, { method: 'POST', mode: 'no-cors', body: forged }),
                fetch(`${base}/response`, { method: 'POST', mode: 'no-cors', body: new Blob([forged]) }),
                fetch(`${base}/questions/q-1/cancel`, { method: 'POST', mode: 'no-cors' }),
              ];
              await Promise.allSettled(simple);
              const socket = new WebSocket(base.replace('http', 'ws').replace('/v1/sessions/', '/ws/') + '?v=1');
              const closed = await new Promise(resolve => { socket.onclose = e => resolve(e.code); socket.onmessage = () => resolve(0); });
              return { readable: (await Promise.allSettled(attempts)).filter(a => a.status === 'fulfilled').length, closed };
            }
            """,
            Base);

        Assert.Equal((0L, 1006L), (seen.Number("readable"), seen.Number("closed")));
        var session = await _server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}");
        var open = Assert.Single(session.Body.GetProperty("open").EnumerateArray());
        Assert.Equal((HttpStatusCode.OK, "q-1", 0L), (session.Status, open.Text("question_id"), open.Number("bytes")));
    }

    [Theory]
    [InlineData("'sessions.v1.json'", "")]
    [InlineData("[]", "?v=1")]
    public async Task ARefusalOnTheSocket_ShowsThePageItsErrorAndItsCode(string offered, string query)
    {
        var page = await OpenAsync(Allowed);

        var seen = await page.EvaluateAsync<JsonElement>(
            $$"""
            async url => {
              const open = () => new Promise(resolve => {
                const socket = new WebSocket(url, {{offered}});
                const seen = { frames: [] };
                socket.onmessage = e => { seen.frames.push(JSON.parse(e.data).code ?? JSON.parse(e.data).type); if (seen.frames[0] === 'hello') resolve(seen); };
                socket.onclose = e => resolve({ ...seen, closed: e.code });
              });
              await open();
              const refused = await open();
              return { code: refused.frames.join(), closed: refused.closed };
            }
            """,
            _server!.Socket(_session, query).ToString());

        Assert.Equal(("connection_limit", 4029L), (seen.Text("code"), seen.Number("closed")));
    }

    private string Base => $"{_server!.Address}v1/sessions/{_session}";

    private async Task<IPage> OpenAsync(string address)
    {
        var page = await fixture.Browser.NewPageAsync();
        await page.GotoAsync(address);
        return page;
    }
}
