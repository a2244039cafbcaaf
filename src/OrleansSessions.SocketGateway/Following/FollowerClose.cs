using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>The end of a follower: one close, and a limit for a client that does not accept it.</summary>
internal sealed class FollowerClose(Follower follower, ITransport transport) : IDisposable
{
    private readonly TaskCompletionSource _timedOut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _timer;
    private int _code;

    /// <summary>The close code of the server; 0 while it has not closed the follower.</summary>
    public int Code => Volatile.Read(ref _code);

    /// <summary>Completes if the client did not accept the close in time. The transport was then aborted.</summary>
    public Task TimedOut => _timedOut.Task;

    /// <summary>The part of a close that requires the gate. The close is sent with the next flush. Only the first call counts.</summary>
    public void Begin(int code, string reason, ErrorMessage? error, bool dropWaiting)
    {
        follower.Gate.AssertHeld();
        if (Code != 0)
        {
            return;
        }

        if (error is not null)
        {
            follower.Writer.Enqueue(error);
            follower.Services.Metrics.ErrorTold(error.Error.Code);
        }

        Volatile.Write(ref _code, code);
        follower.Cursor.Close();
        follower.Writer.EnqueueClose(code, reason, dropWaiting);
        _timer = follower.Services.Clock.CreateTimer(
            static close => ((FollowerClose)close!).OnTimeout(), this, follower.Services.Options.CloseTimeout, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer?.Dispose();

    private void OnTimeout()
    {
        transport.Abort();
        _timedOut.TrySetResult();
    }
}
