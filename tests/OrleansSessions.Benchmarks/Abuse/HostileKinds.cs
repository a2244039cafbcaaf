using System.Text;

namespace OrleansSessions.Benchmarks.Abuse;

/// <summary>The ways in which hostile clients behave. Each runs until the server ends the connection.</summary>
internal static class HostileKinds
{
    private const int Batch = 64;
    private static readonly TimeSpan Drip = TimeSpan.FromSeconds(1);

    /// <summary>By name, in the order of the report.</summary>
    public static IReadOnlyList<(string Name, Func<Uri, string, CancellationToken, Task> RunAsync)> All { get; } =
    [
        ("reads nothing and asks for long answers", DeafAsync),
        ("sends one byte of a frame in a second", SlowFrameAsync),
        ("sends fragments without end", FragmentsAsync),
        ("floods with pings", (server, session, stop) => FloodAsync(server, session, HostileSocket.Frame(0x89, []), stop)),
        ("floods with tiny messages", (server, session, stop) => FloodAsync(server, session, HostileSocket.Text("1"), stop)),
        ("floods with unknown types", (server, session, stop) => FloodAsync(server, session, HostileSocket.Text("""{"type":"shout"}"""), stop)),
        ("asks without end", (server, session, stop) => FloodAsync(server, session, HostileSocket.Text("""{"question":"x","if_busy":"replace"}"""), stop)),
        ("sends compressed frames", CompressedAsync),
        ("sends one header byte in a second", SlowUpgradeAsync),
        ("opens and resets", ResetAsync),
    ];

    private static async Task DeafAsync(Uri server, string session, CancellationToken stop)
    {
        using var socket = new HostileSocket();
        await socket.UpgradeAsync(server, session, "", stop);
        var question = HostileSocket.Text($$"""{"question":"{{new string('x', 30_000)}}","if_busy":"queue"}""");
        while (true)
        {
            await socket.SendAsync(question, stop);
            await Task.Delay(Drip / 10, TimeProvider.System, stop);
        }
    }

    private static async Task SlowFrameAsync(Uri server, string session, CancellationToken stop)
    {
        using var socket = new HostileSocket();
        await socket.UpgradeAsync(server, session, "", stop);
        await DripAsync(socket, HostileSocket.Text($$"""{"question":"{{new string('x', 1000)}}"}"""), stop);
    }

    private static async Task FragmentsAsync(Uri server, string session, CancellationToken stop)
    {
        using var socket = new HostileSocket();
        await socket.UpgradeAsync(server, session, "", stop);
        await socket.SendAsync(HostileSocket.Frame(0x01, [(byte)'{']), stop);
        await SendUntilClosedAsync(socket, HostileSocket.Frame(0x00, []), stop);
    }

    private static async Task FloodAsync(Uri server, string session, byte[] frame, CancellationToken stop)
    {
        using var socket = new HostileSocket();
        await socket.UpgradeAsync(server, session, "", stop);
        await SendUntilClosedAsync(socket, frame, stop);
    }

    private static async Task CompressedAsync(Uri server, string session, CancellationToken stop)
    {
        using var socket = new HostileSocket();
        await socket.UpgradeAsync(server, session, "Sec-WebSocket-Extensions: permessage-deflate\r\n", stop);

        // The reserved bit marks a compressed message. Such a message could grow by a factor of 1,000.
        await SendUntilClosedAsync(socket, HostileSocket.Frame(0xC1, new byte[100]), stop);
    }

    private static async Task SlowUpgradeAsync(Uri server, string session, CancellationToken stop)
    {
        using var socket = new HostileSocket();
        await socket.ConnectAsync(server, stop);
        await DripAsync(socket, Encoding.ASCII.GetBytes(HostileSocket.UpgradeOf(server, session, "")), stop);
    }

    private static async Task ResetAsync(Uri server, string session, CancellationToken stop)
    {
        using var socket = new HostileSocket();
        await socket.UpgradeAsync(server, session, "", stop);
        await socket.SendAsync(HostileSocket.Text("""{"question":"x"}"""), stop);
        socket.Reset();
    }

    private static async Task DripAsync(HostileSocket socket, byte[] bytes, CancellationToken stop)
    {
        var reading = socket.DrainAsync(stop);
        for (var i = 0; i < bytes.Length && !reading.IsCompleted; i++)
        {
            await socket.SendAsync(bytes.AsMemory(i, 1), stop);
            await Task.WhenAny(reading, Task.Delay(Drip, TimeProvider.System, stop));
        }

        await reading;
    }

    /// <summary>Sends as fast as the connection takes it, and reads what comes back, because a client that does not read is another kind.</summary>
    private static async Task SendUntilClosedAsync(HostileSocket socket, byte[] frame, CancellationToken stop)
    {
        var reading = socket.DrainAsync(stop);
        var batch = HostileSocket.Many(frame, Batch);
        while (!reading.IsCompleted)
        {
            await socket.SendAsync(batch, stop);
        }

        await reading;
    }
}
