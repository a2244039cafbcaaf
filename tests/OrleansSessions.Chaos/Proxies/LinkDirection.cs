using System.Net.Sockets;

namespace OrleansSessions.Chaos.Proxies;

/// <summary>One direction of a connection: copies bytes, and can hold, delay, slow or lose them. Order is never changed.</summary>
internal sealed class LinkDirection(Socket from, Socket to)
{
    private const int BufferBytes = 8 * 1024;
    private const int SlowBytes = 256;
    private static readonly TimeSpan SlowPause = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private TaskCompletionSource? _stalled;
    private bool _isLosing;

    /// <summary>How late each read is passed on.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>True to read at most about 2.5 KB a second, with what the system's buffers hold besides.</summary>
    public bool IsSlow { get; set; }

    /// <summary>From now on, what is read vanishes. There is no way back, because the rest would be no valid stream.</summary>
    public void Lose()
    {
        lock (_gate)
        {
            _isLosing = true;
            _stalled?.TrySetResult();
        }
    }

    public void Stall()
    {
        lock (_gate)
        {
            _stalled ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void GoOn()
    {
        lock (_gate)
        {
            _stalled?.TrySetResult();
            _stalled = null;
        }
    }

    /// <summary>Copies until one side ends. Passes an orderly end on.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        while (true)
        {
            var read = await from.ReceiveAsync(buffer.AsMemory(0, IsSlow ? SlowBytes : BufferBytes), cancellationToken);
            await PassAsync(buffer.AsMemory(0, read), cancellationToken);
            if (read == 0)
            {
                return;
            }
        }
    }

    /// <summary>Passes on what was read, or the end if that is nothing.</summary>
    public async Task PassAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await StallAsync(cancellationToken);
        var pause = IsSlow ? SlowPause : Delay;
        if (pause > TimeSpan.Zero)
        {
            await Task.Delay(pause, TimeProvider.System, cancellationToken);
        }

        await StallAsync(cancellationToken);
        if (_isLosing)
        {
            return;
        }

        if (bytes.IsEmpty)
        {
            to.Shutdown(SocketShutdown.Send);
            return;
        }

        for (var rest = bytes; !rest.IsEmpty;)
        {
            rest = rest[await to.SendAsync(rest, cancellationToken)..];
        }
    }

    private async Task StallAsync(CancellationToken cancellationToken)
    {
        Task? stalled;
        lock (_gate)
        {
            stalled = _stalled?.Task;
        }

        if (stalled is not null)
        {
            await stalled.WaitAsync(cancellationToken);
        }
    }
}
