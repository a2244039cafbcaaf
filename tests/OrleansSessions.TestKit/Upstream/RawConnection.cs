using System.IO.Pipelines;
using System.Net.Sockets;

namespace OrleansSessions.TestKit.Upstream;

/// <summary>One TCP connection of <see cref="RawUpstream"/>. Read <see cref="RunAsync"/> first: it is the whole life, in order.</summary>
internal sealed class RawConnection
{
    private readonly RawUpstream _upstream;
    private readonly Socket _socket;
    private readonly Pipe _received = new();
    private readonly Lock _gate = new();
    private volatile RawExchange? _exchange;
    private bool _isClosing;
    private CancellationToken _stop;

    public RawConnection(RawUpstream upstream, Socket socket, int number)
    {
        _upstream = upstream;
        _socket = socket;
        // Each send of a test leaves at once, so that the client sees the pieces that the test made.
        _socket.NoDelay = true;
        Number = number;
    }

    public int Number { get; }

    public async Task RunAsync(CancellationToken stop)
    {
        _stop = stop;
        // 1. Receive all the time, also while a response is sent: this is how the end of the client is seen.
        var receiving = ReceiveAsync();
        try
        {
            // 2. Serve request after request.
            await ServeAsync();
            // 3. Say that nothing more comes, and let the client close. A socket that is closed with unread bytes would send a reset instead.
            SendFin();
            await _received.Reader.CompleteAsync();
            await receiving;
        }
        catch (OperationCanceledException)
        {
            // The server is being stopped.
        }
        finally
        {
            _socket.Dispose();
            await receiving;
            _exchange?.OnConnectionEnded();
        }
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await _socket.SendAsync(bytes, _stop)..];
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new IOException("The connection is closed.", exception);
        }
    }

    /// <summary>Sends a FIN. The connection ends when the client closes it, too.</summary>
    public void SendFin()
    {
        lock (_gate)
        {
            _isClosing = true;
        }

        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has already ended.
        }
    }

    /// <summary>Sends a RST.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            _isClosing = true;
        }

        try
        {
            _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has already ended.
        }

        _socket.Dispose();
    }

    /// <summary>Closes the connection if it has answered a request and waits for the next.</summary>
    public bool TryCloseIdle()
    {
        lock (_gate)
        {
            if (_isClosing || _exchange is not { IsEnded: true })
            {
                return false;
            }
        }

        SendFin();
        return true;
    }

    private async Task ServeAsync()
    {
        var requests = new RawRequestReader(_received.Reader);
        for (var number = 1; await requests.ReadAsync(_stop) is { } request; number++)
        {
            RawExchange exchange;
            lock (_gate)
            {
                // A request that was sent while the connection was being closed does not count.
                if (_isClosing)
                {
                    return;
                }

                exchange = new RawExchange(this, request, number);
                _upstream.OnRequest();
                if (number > 1 && _upstream.TakePlannedClose(RawCloseMoment.AfterRequest) is { } planned)
                {
                    Close(planned);
                    return;
                }

                _exchange = exchange;
            }

            await _upstream.OfferAsync(exchange);
            if (!await exchange.Ended.WaitAsync(_stop))
            {
                return;
            }
        }
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (true)
            {
                // Waits for bytes without taking them, so that a connection can be closed with its request unread.
                await _socket.ReceiveAsync(Memory<byte>.Empty, _stop);
                if (_exchange is { IsEnded: true } && _socket.Available > 0 && _upstream.TakePlannedClose(RawCloseMoment.AtArrival) is { } planned)
                {
                    Close(planned);
                }

                var count = await _socket.ReceiveAsync(_received.Writer.GetMemory(), _stop);
                if (count == 0)
                {
                    _exchange?.OnClosedByClient();
                    return;
                }

                _received.Writer.Advance(count);
                await _received.Writer.FlushAsync(_stop);
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode != SocketError.OperationAborted)
        {
            // The client has reset the connection.
            _exchange?.OnClosedByClient();
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // This side has closed it.
        }
        finally
        {
            await _received.Writer.CompleteAsync();
        }
    }

    private void Close(RawUpstream.PlannedClose planned)
    {
        if (planned.IsReset)
        {
            Reset();
        }
        else
        {
            SendFin();
        }

        planned.Happened.TrySetResult();
    }
}
