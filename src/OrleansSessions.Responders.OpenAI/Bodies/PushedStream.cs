using System.Threading.Tasks.Sources;

namespace OrleansSessions.Responders.OpenAI.Bodies;

/// <summary>
/// Hands bytes to a parser that reads from a stream. The owner sees when the parser wants more, so it notices bytes that did not complete an event.
/// One reader, one read at a time.
/// </summary>
internal sealed class PushedStream : Stream, IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _read;
    private ReadOnlyMemory<byte> _unread;
    private Memory<byte> _target;
    private bool _hasEnded;
    private volatile bool _isWaiting;

    /// <summary>True while the reader waits for bytes.</summary>
    public bool IsWaiting => _isWaiting;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Gives the reader these bytes. Call it only while the reader waits. The reader continues before the call returns.</summary>
    /// <param name="bytes">They must stay unchanged until the reader waits again.</param>
    public void Push(ReadOnlyMemory<byte> bytes)
    {
        _unread = bytes;
        Deliver();
    }

    /// <summary>Ends the stream after these last bytes.</summary>
    public void End(ReadOnlyMemory<byte> last)
    {
        _hasEnded = true;
        Push(last);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_unread.IsEmpty || _hasEnded || buffer.IsEmpty)
        {
            return ValueTask.FromResult(CopyTo(buffer));
        }

        _target = buffer;
        _read.Reset();
        _isWaiting = true;
        return new ValueTask<int>(this, _read.Version);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private void Deliver()
    {
        if (_isWaiting)
        {
            _isWaiting = false;
            _read.SetResult(CopyTo(_target));
        }
    }

    private int CopyTo(Memory<byte> target)
    {
        var length = Math.Min(_unread.Length, target.Length);
        _unread[..length].CopyTo(target);
        _unread = _unread[length..];
        return length;
    }
}
