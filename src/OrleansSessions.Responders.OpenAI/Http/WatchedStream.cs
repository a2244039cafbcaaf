namespace OrleansSessions.Responders.OpenAI.Http;

/// <summary>A connection that tells each attempt to send a request whether it had served an earlier one, and whether a byte of a response has come.</summary>
internal sealed class WatchedStream(Stream connection) : Stream
{
    private volatile Attempt? _attempt;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var length = await connection.ReadAsync(buffer, cancellationToken);
        if (length > 0)
        {
            _attempt?.OnByteReceived();
        }

        return length;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Attempt.Current is { } attempt && !ReferenceEquals(attempt, _attempt))
        {
            attempt.OnWritten(isUsedConnection: _attempt is not null);
            _attempt = attempt;
        }

        return connection.WriteAsync(buffer, cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => connection.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            connection.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>One attempt to send a request.</summary>
    public sealed class Attempt
    {
        private static readonly AsyncLocal<Attempt?> Running = new();
        private volatile bool _isOnUsedConnection;
        private volatile bool _hasResponse;

        private Attempt()
        {
        }

        /// <summary>The attempt that this code belongs to, or null.</summary>
        public static Attempt? Current => Running.Value;

        /// <summary>True once the request was written to a connection that had served an earlier one, so it had been idle.</summary>
        public bool IsOnUsedConnection => _isOnUsedConnection;

        /// <summary>True once a byte has come on the connection that the request was written to.</summary>
        public bool HasResponse => _hasResponse;

        /// <summary>Begins an attempt. It lasts until the calling method returns.</summary>
        public static Attempt Begin() => Running.Value = new Attempt();

        public void OnWritten(bool isUsedConnection) => _isOnUsedConnection = isUsedConnection;

        public void OnByteReceived() => _hasResponse = true;
    }
}
