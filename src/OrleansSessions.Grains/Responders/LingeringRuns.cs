using OrleansSessions.Protocol;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

/// <summary>
/// The responders of one session whose token is cancelled and that may not have stopped yet. A few are normal, because questions that replace each other come faster
/// than any responder stops. More are a sign that the responder ignores its token: then the next question waits for them, and fails if they do not stop.
/// </summary>
internal sealed class LingeringRuns(TimeProvider time)
{
    private const int MaxRuns = 4;

    /// <summary>How long a deactivation, or a question that finds too many of them, waits for responders to stop.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly List<Task> _stopping = [];

    /// <summary>How many have not stopped yet, as of the last call of <see cref="FindWaitForRoom"/>.</summary>
    public int Count => _stopping.Count;

    public void Add(ResponderRun run)
    {
        if (!run.Stopped.IsCompleted)
        {
            _stopping.Add(run.Stopped);
        }
    }

    /// <summary>What the next run must wait for before it asks its responder; null where there is room. The wait fails where there is no room in time.</summary>
    public Func<CancellationToken, Task>? FindWaitForRoom()
    {
        _stopping.RemoveAll(static stopping => stopping.IsCompleted);
        if (_stopping.Count < MaxRuns)
        {
            return null;
        }

        Task[] earlier = [.. _stopping];
        return cancellationToken => WaitForRoomAsync(earlier, cancellationToken);
    }

    /// <summary>Waits a while until all have stopped. False if some have not.</summary>
    public async Task<bool> WaitUntilStoppedAsync()
    {
        var stopped = Task.WhenAll(_stopping);
        await Task.WhenAny(stopped, Task.Delay(Patience, TimeProvider.System));
        return stopped.IsCompleted;
    }

    private async Task WaitForRoomAsync(Task[] earlier, CancellationToken cancellationToken)
    {
        var deadline = Task.Delay(Patience, time, cancellationToken);
        while (Array.FindAll(earlier, static run => !run.IsCompleted) is { Length: >= MaxRuns } left)
        {
            if (deadline.IsCompleted)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw new ResponderException(
                    DoneReasons.ResponderUnavailable, "Earlier answers of this session were told to stop and have not; ask again later.", isRetryable: true)
                {
                    IsSafeToLog = true,
                };
            }

            await Task.WhenAny([deadline, .. left]);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }
}
