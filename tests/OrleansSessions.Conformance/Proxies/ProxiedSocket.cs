using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace OrleansSessions.Conformance.Proxies;

/// <summary>One socket through the proxy: message by message, so that a plan can count and change them.</summary>
internal sealed class ProxiedSocket(HttpContext context, WebSocket client, WebSocket server, IProxyPlan plan, int number) : IProxiedConnection
{
    private const int BufferBytes = 16 * 1024;

    private volatile bool _isCut;

    public int Number { get; } = number;

    public int ServerFrames { get; private set; }

    public async Task RunAsync()
    {
        await Task.WhenAny(PumpAsync(server, client, isDown: true), PumpAsync(client, server, isDown: false));
        server.Abort();
        client.Abort();
    }

    public void Reset()
    {
        _isCut = true;
        context.Abort();
        server.Abort();
    }

    public async Task CloseAsync(int code)
    {
        _isCut = true;
        server.Abort();
        if (client.State == WebSocketState.Open)
        {
            await client.CloseOutputAsync((WebSocketCloseStatus)code, "", CancellationToken.None);
        }
    }

    private async Task PumpAsync(WebSocket from, WebSocket to, bool isDown)
    {
        var (buffer, message) = (new byte[BufferBytes], new MemoryStream());
        try
        {
            while (true)
            {
                var part = await from.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    var code = (int?)from.CloseStatus ?? 1000;
                    if (!_isCut)
                    {
                        await to.CloseOutputAsync((WebSocketCloseStatus)(isDown ? plan.OnServerClose(code) : code), "", CancellationToken.None);
                    }

                    await WaitForAnswerAsync(to);
                    return;
                }

                message.Write(buffer, 0, part.Count);
                if (!part.EndOfMessage)
                {
                    continue;
                }

                if (part.MessageType == WebSocketMessageType.Binary)
                {
                    await to.SendAsync(message.ToArray(), part.MessageType, true, CancellationToken.None);
                }
                else
                {
                    await PassAsync(message.ToArray(), to, isDown);
                }

                message.SetLength(0);
                if (_isCut)
                {
                    return;
                }
            }
        }
        catch (Exception end) when (end is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException
            or InvalidOperationException)
        {
            // One side has gone, so the other one goes as well.
        }
    }

    private async Task PassAsync(byte[] message, WebSocket to, bool isDown)
    {
        var json = Encoding.UTF8.GetString(message);
        ServerFrames += isDown ? 1 : 0;
        foreach (var frame in isDown ? plan.OnServerFrame(this, json) : plan.OnClientFrame(this, json))
        {
            // What is not changed is passed byte by byte, also if it is not UTF-8.
            await to.SendAsync(frame == json ? message : Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, true, CancellationToken.None);
        }
    }

    /// <summary>The other side answers a close frame, for which it has a moment.</summary>
    private static async Task WaitForAnswerAsync(WebSocket socket)
    {
        using var moment = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        var rest = new byte[BufferBytes];
        while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
        {
            await socket.ReceiveAsync(rest.AsMemory(), moment.Token);
        }
    }
}
