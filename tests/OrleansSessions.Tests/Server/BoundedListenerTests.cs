using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OrleansSessions.Server.Hosting;
using Xunit;

namespace OrleansSessions.Tests.Server;

public sealed class BoundedListenerTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BoundedListenerFactory _factory =
        new(new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance), maxOpen: 2);

    private readonly List<TcpClient> _clients = [];
    private readonly List<IConnectionListener> _listeners = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        foreach (var listener in _listeners)
        {
            await listener.DisposeAsync();
        }
    }

    [Fact]
    public async Task ConnectionsAboveTheLimit_WaitUntilOneIsClosed_OnAnyEndpoint()
    {
        var (first, second) = (await ListenAsync(), await ListenAsync());
        var one = await AcceptAsync(first);
        var two = await AcceptAsync(second);

        await ConnectAsync(second);
        var third = second.AcceptAsync(Token).AsTask();
        Assert.False(third.IsCompleted);
        await one.DisposeAsync();
        await one.DisposeAsync();
        var three = await third.WaitAsync(Patience, Token);

        // The first connection was disposed twice, but has returned only one place.
        await ConnectAsync(first);
        var fourth = first.AcceptAsync(Token).AsTask();
        Assert.False(fourth.IsCompleted);
        await two.DisposeAsync();
        await (await fourth.WaitAsync(Patience, Token))!.DisposeAsync();
        await three!.DisposeAsync();
    }

    [Fact]
    public async Task AListenerThatIsUnboundWhileItWaits_AcceptsNothingMore()
    {
        var listener = await ListenAsync();
        var (one, two) = (await AcceptAsync(listener), await AcceptAsync(listener));
        var waiting = listener.AcceptAsync(Token).AsTask();
        Assert.False(waiting.IsCompleted);

        await listener.UnbindAsync(Token);

        Assert.Null(await waiting.WaitAsync(Patience, Token));
        await one.DisposeAsync();
        await two.DisposeAsync();
    }

    [Fact]
    public async Task AnAcceptThatEndsWithoutAConnection_TakesNoPlace()
    {
        var listener = await ListenAsync();
        for (var i = 0; i < 3; i++)
        {
            var unbound = await ListenAsync();
            var waiting = unbound.AcceptAsync(Token).AsTask();
            await unbound.UnbindAsync(Token);
            Assert.Null(await waiting.WaitAsync(Patience, Token));
        }

        await using var one = await AcceptAsync(listener).WaitAsync(Patience, Token);
        await using var two = await AcceptAsync(listener).WaitAsync(Patience, Token);
    }

    private async Task<IConnectionListener> ListenAsync()
    {
        var listener = await _factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0), Token);
        _listeners.Add(listener);
        return listener;
    }

    private async Task ConnectAsync(IConnectionListener listener)
    {
        var client = new TcpClient();
        _clients.Add(client);
        await client.ConnectAsync((IPEndPoint)listener.EndPoint, Token);
    }

    private async Task<ConnectionContext> AcceptAsync(IConnectionListener listener)
    {
        await ConnectAsync(listener);
        return await listener.AcceptAsync(Token) ?? throw new InvalidOperationException("The listener was unbound.");
    }
}
