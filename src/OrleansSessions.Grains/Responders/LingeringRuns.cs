using System.Runtime.CompilerServices;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

/// <summary>
/// Stands before a responder whose earlier answers to the same session were told to stop and have not yet: gives them a moment,
/// for questions that replace each other come faster than any responder lets go, and refuses if they ignore their tokens.
/// </summary>
internal sealed class LingeringRuns(IReadOnlyList<Task> earlier, int max, IResponder responder, TimeSpan patience, TimeProvider time) : IResponder
{
    public async IAsyncEnumerable<AnswerPiece> AnswerAsync(
        ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await WaitForRoomAsync(cancellationToken);
        await foreach (var piece in responder.AnswerAsync(context, cancellationToken).WithCancellation(cancellationToken))
        {
            yield return piece;
        }
    }

    private async Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        var deadline = Task.Delay(patience, time, cancellationToken);
        while (earlier.Where(run => !run.IsCompleted).ToList() is { } left && left.Count >= max)
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
