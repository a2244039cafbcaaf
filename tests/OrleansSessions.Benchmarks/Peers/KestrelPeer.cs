using System.Buffers;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;

namespace OrleansSessions.Benchmarks.Peers;

/// <summary>
/// The upper limit: the same frames in and out, read and written in the same way, with nothing in between. It has no sessions, no
/// meaningful numbers, and only one reader for each answer.
/// </summary>
internal static class KestrelPeer
{
    private const int BufferBytes = 4096;

    public static void Map(WebApplication app)
    {
        app.UseWebSockets();
        app.Map("/ws/{session}", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await ServeAsync(socket, isV1: context.Request.Query["v"] == "1", context.RequestAborted);
        });
    }

    private static async Task ServeAsync(WebSocket socket, bool isV1, CancellationToken aborted)
    {
        if (isV1)
        {
            await PeerAnswers.SendHelloAsync(socket, aborted);
        }

        while (true)
        {
            // Waits without a buffer, like this server. This costs one more call, and an idle socket holds no memory.
            var arrival = await socket.ReceiveAsync(Memory<byte>.Empty, aborted);
            if (arrival.MessageType == WebSocketMessageType.Close)
            {
                break;
            }

            var question = await ReceiveQuestionAsync(socket, aborted);
            await (isV1 ? PeerAnswers.SendPiecesAsync(socket, question, aborted) : PeerAnswers.SendWholeAsync(socket, question, aborted));
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, aborted);
    }

    private static async ValueTask<string> ReceiveQuestionAsync(WebSocket socket, CancellationToken aborted)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(length), aborted);
                length += part.Count;
            }
            while (!part.EndOfMessage && length < buffer.Length);
            return QuestionReader.Read(buffer.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
