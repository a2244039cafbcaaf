using System.Net.Sockets;
using System.Text;

namespace OrleansSessions.Chaos.Proxies;

/// <summary>One connection through a proxy.</summary>
internal sealed class ProxyLink : IDisposable
{
    /// <summary>The header by which a client names itself in its first request.</summary>
    public const string NameHeader = "X-Chaos-Client";

    private const int HeadBytes = 8 * 1024;
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(1);

    private readonly Socket _client;
    private readonly Socket _server;
    private readonly CancellationTokenSource _end = new();
    private int _isCut;

    public ProxyLink(Socket client, Socket server)
    {
        (_client, _server) = (client, server);
        (Up, Down) = (new(client, server), new(server, client));
    }

    /// <summary>From the client to the server.</summary>
    public LinkDirection Up { get; }

    /// <summary>From the server to the client.</summary>
    public LinkDirection Down { get; }

    /// <summary>The name that the client sent in its first request, or null: none, or nothing was sent yet.</summary>
    public string? Client { get; private set; }

    /// <summary>True if bytes of this connection are lost on purpose, so that it must end.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Copies in both directions until one side breaks or both have ended.</summary>
    /// <param name="readsName">True to look for the client's name in what it sends first.</param>
    public async Task RunAsync(bool readsName)
    {
        await Task.WhenAll(UntilBrokenAsync(() => CopyUpAsync(readsName)), UntilBrokenAsync(() => Down.RunAsync(_end.Token)));
        Dispose();
    }

    /// <summary>Resets both sides: what they have not read yet is lost.</summary>
    public void Reset()
    {
        if (Interlocked.Exchange(ref _isCut, 1) == 0)
        {
            _end.Cancel();
            foreach (var socket in new[] { _client, _server })
            {
                try
                {
                    socket.LingerState = new(true, 0);
                }
                catch (SocketException)
                {
                    // It has ended already.
                }

                socket.Close();
            }
        }
    }

    /// <summary>Ends both sides in order, without a close frame. Each has a moment to read what was sent.</summary>
    public async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _isCut, 1) != 0)
        {
            return;
        }

        await _end.CancelAsync();
        await Task.WhenAll(EndAsync(_client), EndAsync(_server));
    }

    public void Dispose() => Reset();

    private static async Task EndAsync(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            using var patience = new CancellationTokenSource(CloseTime, TimeProvider.System);
            var rest = new byte[HeadBytes];
            while (await socket.ReceiveAsync(rest, patience.Token) > 0)
            {
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The other side has not ended its part in time, or has broken the connection.
        }
        finally
        {
            socket.Close();
        }
    }

    /// <summary>Copies in one direction. If a side breaks there, the other one learns it at once, too.</summary>
    private async Task UntilBrokenAsync(Func<Task> copy)
    {
        try
        {
            await copy();
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            Reset();
        }
    }

    private async Task CopyUpAsync(bool readsName)
    {
        if (readsName)
        {
            await PassHeadAsync();
        }

        await Up.RunAsync(_end.Token);
    }

    private async Task PassHeadAsync()
    {
        var buffer = new byte[HeadBytes];
        var read = await _client.ReceiveAsync(buffer, _end.Token);
        var head = Encoding.ASCII.GetString(buffer, 0, read);
        Client = head.Split("\r\n").FirstOrDefault(line => line.StartsWith(NameHeader + ":", StringComparison.OrdinalIgnoreCase)) is { } line
            ? line[(NameHeader.Length + 1)..].Trim() : null;
        await Up.PassAsync(buffer.AsMemory(0, read), _end.Token);
    }
}
