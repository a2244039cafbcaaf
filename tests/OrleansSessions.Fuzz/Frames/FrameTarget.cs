using System.Globalization;
using System.Text;
using OrleansSessions.Fuzz.Hosts;

namespace OrleansSessions.Fuzz.Frames;

/// <summary>
/// Sends each input to a socket of its own. The first byte says how the client ends the connection, the second one to which socket the rest is sent.
/// </summary>
public sealed class FrameTarget(FuzzHost host) : IFuzzTarget
{
    private const int Sessions = 12;
    private const int ProbeEvery = 100;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);
    private int _checked;

    public string Kind => "frames";

    public bool IsRepeatable => false;

    /// <summary>Most of the time of an input is spent waiting for the other side.</summary>
    public int Parallelism => 24;

    public byte[] Create(Random random) => [(byte)random.Next(256), (byte)random.Next(256), .. ClientFrames.Create(random)];

    public async ValueTask<string?> CheckAsync(byte[] input)
    {
        if (input.Length < 2)
        {
            return null;
        }

        // 1. Open a socket.
        var (ending, target, frames) = (input[0], input[1], input.AsMemory(2));
        var profile = target % 3 == 0 ? "" : "?v=1";
        var path = string.Create(CultureInfo.InvariantCulture, $"/ws/frames-{target % Sessions}{profile}");
        using var connection = await WireConnection.OpenAsync(host.Address);
        await connection.SendAsync(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: {host.Address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
        await connection.ReadUntilAsync(() => HeadLength(connection.Received) > 0, Silence);
        if (!connection.Received.StartsWith("HTTP/1.1 101 "u8))
        {
            return "the server does not open a socket any more";
        }

        // 2. Send the frames, and end the connection in one of three ways.
        await connection.SendAsync(frames);
        switch (ending)
        {
            case < 16:
                // The client is silent: the server ends a socket whose heartbeats fail.
                break;
            case < 32:
                connection.Reset();
                return await ProbedAsync();
            default:
                connection.EndSending();
                break;
        }

        if (!await connection.ReadToEndAsync())
        {
            return $"the server does not end the connection within {WireConnection.Patience.TotalSeconds} s";
        }

        return ServerFrames.Find(connection.Received[HeadLength(connection.Received)..], ClientFrames.CloseCodesIn(frames.Span))
            ?? host.Log.FirstError
            ?? await ProbedAsync();
    }

    private async Task<string?> ProbedAsync()
    {
        if (Interlocked.Increment(ref _checked) % ProbeEvery == 0)
        {
            await host.ProbeAsync();
        }

        return null;
    }

    /// <summary>The length of the response to the upgrade, or 0 if it has not arrived as a whole.</summary>
    private static int HeadLength(ReadOnlySpan<byte> received) => received.IndexOf("\r\n\r\n"u8) is >= 0 and var end ? end + 4 : 0;
}
