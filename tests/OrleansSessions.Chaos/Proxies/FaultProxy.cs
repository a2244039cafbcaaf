using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OrleansSessions.Chaos.Proxies;

/// <summary>Passes TCP connections on to a server on loopback, and can break each of them.</summary>
/// <remarks>The port stays the same when the server behind it moves. While there is no server, a connection is accepted and reset.</remarks>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentDictionary<ProxyLink, Task> _links = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly bool _readsNames;
    private readonly Task _accepting;

    /// <param name="readsNames">True if clients name themselves with <see cref="ProxyLink.NameHeader"/>.</param>
    public FaultProxy(bool readsNames)
    {
        _readsNames = readsNames;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>The port of the server on loopback, or null if there is none.</summary>
    public int? Target { get; set; }

    /// <summary>Applies to each new connection, for a fault of all of them.</summary>
    public Action<ProxyLink>? OnOpened { get; set; }

    /// <summary>The open connections.</summary>
    public IReadOnlyCollection<ProxyLink> Links => [.. _links.Keys];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Close();
        await _accepting;
        foreach (var (link, running) in _links)
        {
            link.Reset();
            await running;
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(_stop.Token);
                client.NoDelay = true;
                _ = OpenAsync(client);
            }
            catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // A client that was gone before it was accepted, or the end.
            }
        }
    }

    private async Task OpenAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var link = new ProxyLink(client, server);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, Target ?? throw new SocketException((int)SocketError.ConnectionRefused), _stop.Token);
            OnOpened?.Invoke(link);
        }
        catch (Exception refused) when (refused is SocketException or OperationCanceledException)
        {
            link.Reset();
            return;
        }

        var running = new TaskCompletionSource();
        _links[link] = running.Task;
        if (_stop.IsCancellationRequested)
        {
            link.Reset();
        }

        await link.RunAsync(_readsNames);
        _links.TryRemove(link, out _);
        running.SetResult();
    }
}
