using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace OrleansSessions.TestKit.Upstream;

/// <summary>
/// A real HTTP/1.1 server on loopback that gives the test every byte of each response and the end of each connection. Read
/// <see cref="StartAsync"/>, then <see cref="NextAsync"/>. For answers as a well-behaved server sends them, use <see cref="FakeOpenAIServer"/>.
/// </summary>
public sealed class RawUpstream : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<RawExchange> _waiting =
        Channel.CreateBounded<RawExchange>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.Wait });

    private readonly Lock _gate = new();
    private readonly List<RawConnection> _connections = [];
    private readonly List<Task> _served = [];
    private PlannedClose? _plannedClose;
    private int _requestsReceived;
    private Task _accepting = Task.CompletedTask;

    private RawUpstream()
    {
    }

    /// <summary>The address of the server, without a path: <c>http://127.0.0.1:port</c>.</summary>
    public string Origin { get; private set; } = "";

    /// <summary>The value for <c>Responder:OpenAI:Endpoint</c>.</summary>
    public string Endpoint => $"{Origin}/v1";

    /// <summary>The number of TCP connections so far.</summary>
    public int ConnectionsAccepted
    {
        get
        {
            lock (_gate)
            {
                return _connections.Count;
            }
        }
    }

    /// <summary>The number of requests so far that were read to their end, including those that <see cref="CloseOnNextRequest"/> dropped after that.</summary>
    public int RequestsReceived => Volatile.Read(ref _requestsReceived);

    public static Task<RawUpstream> StartAsync()
    {
        var upstream = new RawUpstream();
        upstream._listener.Start();
        upstream.Origin = $"http://{upstream._listener.LocalEndpoint}";
        upstream._accepting = upstream.AcceptAsync();
        return Task.FromResult(upstream);
    }

    /// <summary>Returns the next request, in order of arrival. It has been read completely, and nothing of its response has been sent.</summary>
    public async Task<RawExchange> NextAsync(CancellationToken cancellationToken) => await _waiting.Reader.ReadAsync(cancellationToken);

    /// <summary>Closes (FIN) each connection that is idle after an answered request. Returns their number.</summary>
    public int CloseIdleConnections()
    {
        lock (_gate)
        {
            return _connections.Count(connection => connection.TryCloseIdle());
        }
    }

    /// <summary>
    /// Drops the next request that arrives on a connection which has answered one before, and closes that connection. This happens once. The returned
    /// task completes when it has happened.
    /// </summary>
    /// <param name="isReset">True for a reset (RST), false for an orderly end (FIN).</param>
    public Task CloseOnNextRequest(RawCloseMoment moment, bool isReset)
    {
        var planned = new PlannedClose(moment, isReset);
        lock (_gate)
        {
            _plannedClose = planned;
        }

        return planned.Happened.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        // A request that could not be parsed makes its connection's task fail, and so the test.
        await Task.WhenAll(_served);
    }

    internal ValueTask OfferAsync(RawExchange exchange) => _waiting.Writer.WriteAsync(exchange, _stop.Token);

    internal void OnRequest() => Interlocked.Increment(ref _requestsReceived);

    /// <summary>Takes the planned close of this moment, so that no other connection performs it.</summary>
    internal PlannedClose? TakePlannedClose(RawCloseMoment moment)
    {
        lock (_gate)
        {
            if (_plannedClose is not { } planned || planned.Moment != moment)
            {
                return null;
            }

            _plannedClose = null;
            return planned;
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                lock (_gate)
                {
                    var connection = new RawConnection(this, socket, _connections.Count + 1);
                    _connections.Add(connection);
                    _served.Add(connection.RunAsync(_stop.Token));
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is being stopped.
        }
    }

    internal sealed record PlannedClose(RawCloseMoment Moment, bool IsReset)
    {
        public TaskCompletionSource Happened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
