using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.Tests.Client;

/// <summary>A server on loopback that does with each request what a test says.</summary>
internal sealed class ScriptedHost : IAsyncDisposable
{
    public const string Hello = """{"type":"hello","epoch":"e1","seq":0,"open":[],"heartbeat_ms":25000,"reconnect":{"min_ms":1,"max_ms":2}}""";
    private readonly WebApplication _app;
    private int _requests;

    private ScriptedHost(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>The requests so far: path, query and the header <c>Authorization</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <param name="answer">Gets the number of the request, from 0.</param>
    public static async Task<ScriptedHost> StartAsync(Func<HttpContext, int, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var host = new ScriptedHost(builder.Build());
        host._app.UseWebSockets();
        host._app.Run(context =>
        {
            var request = context.Request;
            host.Requests.Enqueue($"{request.Path}{request.QueryString} {request.Headers.Authorization}{request.Headers["X-App"]}");
            return answer(context, Interlocked.Increment(ref host._requests) - 1);
        });
        await host._app.StartAsync();
        return host;
    }

    /// <summary>Opens the socket, greets, and reads until the client is gone.</summary>
    /// <param name="answer">Gets what the client sends: one message each, of at most 4 KiB.</param>
    public static async Task ServeAsync(HttpContext context, Func<WebSocket, string, Task>? answer = null)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await SendAsync(socket, Hello);
        await UntilGoneAsync(socket, answer);
    }

    public static Task SendAsync(WebSocket socket, string frame) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    public static async Task UntilGoneAsync(WebSocket socket, Func<WebSocket, string, Task>? answer = null)
    {
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } message)
            {
                await (answer?.Invoke(socket, Encoding.UTF8.GetString(buffer, 0, message.Count)) ?? Task.CompletedTask);
            }

            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // It broke the connection.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
