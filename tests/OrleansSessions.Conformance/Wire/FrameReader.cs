using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Wire;

/// <summary>Reads what the other side of a socket sends, as long as it is open.</summary>
internal static class FrameReader
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>The close code where the other side sent none.</summary>
    private const int NoStatus = 1005;

    /// <summary>Writes each frame to the transcript and to the channel, and completes the channel. Answers a close frame unless this side began to close.</summary>
    /// <param name="from">The name of the other side in the transcript.</param>
    /// <returns>The close code, or null if the connection broke or a message was not JSON.</returns>
    public static async Task<int?> ReadAsync(WebSocket socket, string from, Transcript transcript, ChannelWriter<Frame> frames, Func<bool> isClosing)
    {
        Exception? fault = null;
        var (buffer, message) = (new byte[BufferBytes], new MemoryStream());
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    var code = (int?)socket.CloseStatus ?? NoStatus;
                    transcript.Add(from, $"closes with {code}");
                    if (!isClosing())
                    {
                        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
                    }

                    return code;
                }

                message.Write(buffer, 0, part.Count);
                if (part.EndOfMessage)
                {
                    var json = Encoding.UTF8.GetString(message.GetBuffer(), 0, (int)message.Length);
                    message.SetLength(0);
                    transcript.Add(from, json);
                    await frames.WriteAsync(Frame.Parse(json));
                }
            }
        }
        catch (Exception drop) when (drop is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            return null;
        }
        catch (JsonException malformed)
        {
            fault = malformed;
            return null;
        }
        finally
        {
            frames.TryComplete(fault is null ? null : new CaseFailedException("a JSON object", fault.Message));
        }
    }
}
