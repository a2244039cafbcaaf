using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests;

/// <summary>The requests of the Python client to a host that requires credentials and is below a path prefix, and its reaction to a refusal.</summary>
public sealed class PythonClientRequestTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _requests = new();
    private WebApplication _host = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Url => _host.Urls.Single().Replace("http", "ws", StringComparison.Ordinal) + "/chat/ws/s1?team=a%20b";

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        _host = builder.Build();
        _host.UseWebSockets();
        _host.MapGet("/chat/ws/s1", AnswerWithoutTextAsync);
        _host.MapGet("/chat/ws/refused", RefuseAsync);
        _host.MapGet("/chat/v1/sessions/s1/questions/{id}", AnswerWholeAsync);
        await _host.StartAsync(Token);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task HeadersAndQuery_AreSentOnTheSocketAndOverHttp()
    {
        PythonClient.SkipIfAbsent();

        var printed = await PythonClient.AskAsync(Url, "hi", Token, "Authorization: Bearer a:b", "X-Team: red");

        Assert.Equal("the whole answer", printed.TrimEnd());
        Assert.Equal(
            ["/chat/ws/s1?team=a%20b&v=1 Bearer a:b red", "/chat/v1/sessions/s1/questions/ID?team=a%20b Bearer a:b red"], _requests);
    }

    [Fact]
    public async Task AHeaderWithALineBreak_IsRefusedBeforeAnythingIsSent()
    {
        PythonClient.SkipIfAbsent();

        var failure = await PythonClient.FailToAskAsync(Url, "hi", Token, "Authorization: a\r\nX-Team: red");

        Assert.Contains("line break", failure, StringComparison.Ordinal);
        Assert.Empty(_requests);
    }

    [Fact]
    public async Task ARefusalThatWillNotChange_EndsTheClientWithItsReason()
    {
        PythonClient.SkipIfAbsent();

        var failure = await PythonClient.FailToAskAsync(Url.Replace("/s1", "/refused", StringComparison.Ordinal), "hi", Token);

        Assert.Contains("forbidden: You may not.", failure, StringComparison.Ordinal);
        Assert.Single(_requests);
    }

    private void Note(HttpContext context, string? id = null)
    {
        var path = context.Request.Path + context.Request.QueryString.Value;
        var line = $"{path} {context.Request.Headers.Authorization} {context.Request.Headers["X-Team"]}";
        _requests.Enqueue(id is null ? line : line.Replace(id, "ID", StringComparison.Ordinal));
    }

    /// <summary>Sends the end of an answer without its text, so that the client has to fetch the text.</summary>
    private async Task AnswerWithoutTextAsync(HttpContext context)
    {
        Note(context);
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await SendAsync(socket, """
            {"type":"hello","protocol":"sessions.v1","session":"s1","connection":"c","responder":"r","epoch":"e","seq":0,"open":[],"resuming":false,
             "heartbeat_ms":25000,"limits":{},"reconnect":{"min_ms":10,"max_ms":20},"features":[]}
            """);
        var buffer = new byte[4096];
        var received = await socket.ReceiveAsync(buffer, context.RequestAborted);
        var id = JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, received.Count)).Text("id");
        await SendAsync(socket, $$"""{"type":"accepted","seq":1,"question_id":"{{id}}","duplicate":false,"position":0}""");
        await SendAsync(socket, $$"""
            {"type":"done","seq":2,"question_id":"{{id}}","status":"completed","reason":null,"message":null,"retryable":false,"deltas":1,"bytes":16,"first_ms":1,"total_ms":2}
            """);
        await socket.ReceiveAsync(buffer, context.RequestAborted);
    }

    private async Task RefuseAsync(HttpContext context)
    {
        Note(context);
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await SendAsync(socket, """{"type":"error","code":"forbidden","message":"You may not.","retryable":false}""");
        // This close code means that the client can reconnect, but the error before it is not retryable, which takes precedence.
        await socket.CloseOutputAsync(WebSocketCloseStatus.InternalServerError, null, context.RequestAborted);
    }

    private Task AnswerWholeAsync(HttpContext context, string id)
    {
        Note(context, id);
        return context.Response.WriteAsJsonAsync(new { question_id = id, text = "the whole answer", deltas = 1 }, context.RequestAborted);
    }

    private static Task SendAsync(WebSocket socket, string json) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, endOfMessage: true, Token);
}
