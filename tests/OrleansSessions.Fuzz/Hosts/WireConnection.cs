using System.Net.Sockets;

namespace OrleansSessions.Fuzz.Hosts;

/// <summary>A TCP connection for any bytes. All that arrives is kept, up to a limit, and its whole life has a deadline.</summary>
internal sealed class WireConnection : IDisposable
{
    /// <summary>The longest time from the last byte of an input to the end of its connection that a server may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private const int MaxBytes = 16 * 1024 * 1024;

    private readonly Socket _tcp = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly CancellationTokenSource _deadline = new(Patience, TimeProvider.System);
    private readonly MemoryStream _received = new();

    private WireConnection()
    {
    }

    public ReadOnlySpan<byte> Received => _received.GetBuffer().AsSpan(0, (int)_received.Length);

    public bool HasEnded { get; private set; }

    public static async Task<WireConnection> OpenAsync(Uri address)
    {
        var connection = new WireConnection();
        try
        {
            await connection._tcp.ConnectAsync(address.Host, address.Port, connection._deadline.Token);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends as much as the server takes. A server may end the connection in the middle.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await _tcp.SendAsync(bytes, SocketFlags.None, _deadline.Token)..];
            }
        }
        catch (SocketException)
        {
            // Reading shows the end.
        }
    }

    /// <summary>Ends the sending side; reading continues.</summary>
    public void EndSending()
    {
        try
        {
            _tcp.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The server has ended the connection.
        }
    }

    /// <summary>Ends the connection at once, without a word.</summary>
    public void Reset() => _tcp.Close(timeout: 0);

    /// <summary>Reads until the condition holds for all that has been received, the server ends the connection, or it is silent for this long.</summary>
    public async Task ReadUntilAsync(Func<bool> isEnough, TimeSpan silence)
    {
        while (!HasEnded && !isEnough())
        {
            using var quiet = new CancellationTokenSource(silence, TimeProvider.System);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, _deadline.Token);
            try
            {
                await ReadSomeAsync(either.Token);
            }
            catch (OperationCanceledException) when (!_deadline.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Reads until the server ends the connection.</summary>
    /// <returns>False if it does not within <see cref="Patience"/>.</returns>
    public async Task<bool> ReadToEndAsync()
    {
        try
        {
            while (!HasEnded)
            {
                await ReadSomeAsync(_deadline.Token);
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _tcp.Dispose();
        _deadline.Dispose();
        _received.Dispose();
    }

    private async Task ReadSomeAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            var count = await _tcp.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, cancellationToken);
            HasEnded = count == 0;
            _received.Write(buffer, 0, count);
        }
        catch (SocketException)
        {
            // The server may reset a connection whose last bytes it did not read.
            HasEnded = true;
        }

        if (_received.Length > MaxBytes)
        {
            throw new InvalidOperationException($"The server sent more than {MaxBytes} bytes.");
        }
    }
}
