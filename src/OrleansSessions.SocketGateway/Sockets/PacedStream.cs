namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>
/// The stream under a WebSocket. The runtime handles pings, pongs and frame headers itself, so no limit for messages applies to them. This stream counts
/// the bytes that become no message, and reads slowly when a peer sends too many of them: then TCP slows the peer down. Honest peers never notice it.
/// </summary>
/// <param name="maxMessageBytes">One receive can read this much before it returns and its bytes are excused, so so much more is allowed at once.</param>
internal sealed class PacedStream(Stream inner, int bytesPerSecond, int maxMessageBytes, TimeProvider clock) : Stream
{
    // A peer may send as much at once as it may send in this time, and a message.
    private const int BurstSeconds = 16;

    // A header has at most 2 bytes, 8 of the length and 4 of the mask.
    private const int MaxHeaderBytes = 14;

    private readonly long _burst = ((long)bytesPerSecond * BurstSeconds) + maxMessageBytes;
    private long _excess;
    private long _settledAt = clock.GetTimestamp();
    private long _floodedSince;

    public override bool CanRead => inner.CanRead;

    public override bool CanWrite => inner.CanWrite;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Returns how long the peer has been sending too much without a break, or zero. A break is as long as half of a burst, because late timers let a peer
    /// that floods look slower for a moment.
    /// </summary>
    public TimeSpan FloodedFor(long now)
    {
        var since = Volatile.Read(ref _floodedSince);
        return since == 0 || Volatile.Read(ref _excess) - AllowedUntil(now) <= _burst / 2 ? TimeSpan.Zero : clock.GetElapsedTime(since, now);
    }

    /// <summary>A receive has returned this many bytes of a message, which other limits apply to. Its header does not count either.</summary>
    public void Excuse(int messageBytes)
    {
        if (Interlocked.Add(ref _excess, -messageBytes - MaxHeaderBytes) < 0)
        {
            Volatile.Write(ref _excess, 0);
        }
    }

    /// <summary>Uses up what the peer may send at once, because nothing that it still sends matters.</summary>
    public void Exhaust() => Volatile.Write(ref _excess, Math.Max(Volatile.Read(ref _excess), _burst));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // A read without a buffer only waits for data. An idle socket is in one, so it must need no memory here.
        if (buffer.IsEmpty)
        {
            return inner.ReadAsync(buffer, cancellationToken);
        }

        if (Volatile.Read(ref _excess) > _burst)
        {
            return PauseAndReadAsync(buffer, cancellationToken);
        }

        var reading = inner.ReadAsync(buffer, cancellationToken);
        return reading.IsCompletedSuccessfully ? new(Count(reading.Result)) : CountAsync(reading);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The number of bytes that the peer was allowed since the last time that they were subtracted.</summary>
    private long AllowedUntil(long now) => (long)(clock.GetElapsedTime(Volatile.Read(ref _settledAt), now).TotalSeconds * bytesPerSecond);

    private int Count(int bytes)
    {
        Interlocked.Add(ref _excess, bytes);
        return bytes;
    }

    private async ValueTask<int> CountAsync(ValueTask<int> reading) => Count(await reading);

    private async ValueTask<int> PauseAndReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // Reads never overlap, and each adds no more than its buffer, so the pause is short.
        var now = clock.GetTimestamp();
        var excess = Interlocked.Add(ref _excess, -Math.Min(Volatile.Read(ref _excess), AllowedUntil(now)));
        Volatile.Write(ref _settledAt, now);
        if (excess <= _burst / 2)
        {
            Volatile.Write(ref _floodedSince, 0);
        }
        else if (excess > _burst)
        {
            Interlocked.CompareExchange(ref _floodedSince, now, 0);
            await Task.Delay(TimeSpan.FromSeconds((double)(excess - _burst) / bytesPerSecond), clock, cancellationToken);
        }

        return Count(await inner.ReadAsync(buffer, cancellationToken));
    }
}
