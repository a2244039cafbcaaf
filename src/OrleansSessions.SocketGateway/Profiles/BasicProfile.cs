using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Profiles;

/// <summary>
/// The profile of the Python session manager: one final frame for each question that this socket asked and that was accepted, and nothing else. The text
/// is joined from the deltas. If some are missing, the whole question is fetched.
/// </summary>
internal sealed class BasicProfile(
    FrameWriter writer, Lock gate, int maxFrameBytes, Func<string, Task<QuestionDescription?>> fetch, Action flush, Action onRemoved)
    : IProfile
{
    private readonly List<OwnAnswer> _own = [];
    private bool _isFetching;

    /// <summary>Always 0, because this profile has no numbers.</summary>
    public long LastSeq => 0;

    public bool IsFull => writer.IsFull;

    public bool HasOwnOpen => _own.Count > 0;

    public void OnAttached(AttachReply reply, long? resumeAfter)
    {
    }

    public void OnEvent(LogEvent next, bool isReplay)
    {
        if (_own.Count == 0 || Find(next.QuestionId) is not { } own)
        {
            return;
        }

        switch (next.Kind)
        {
            case LogEventKind.Accepted:
                own.IsConfirmed |= next.Text == own.Question;
                break;
            case LogEventKind.Delta:
                own.Take(next);
                break;
            case LogEventKind.Done:
                own.End = next.End;
                TryFinish(own);
                break;
        }
    }

    public void OnReplay(long afterSeq)
    {
    }

    public void OnRecovered(LogPiece atHead)
    {
    }

    public void OnLost(LogPiece piece)
    {
        foreach (var own in _own)
        {
            // The answer can have been attempted again, with another text.
            own.Restart("", 0);
            own.IsBroken = true;
            own.End = null;
            FetchIfConfirmed(own);
        }
    }

    public void OnRemoved()
    {
        foreach (var own in _own.ToArray())
        {
            Finish(own, new() { Status = QuestionStatus.Cancelled, Reason = DoneReasons.SessionRemoved, Deltas = own.Next }, own.Text);
        }

        onRemoved();
    }

    public bool OnAsking(string questionId, string question)
    {
        if (Find(questionId) is not null)
        {
            return false;
        }

        _own.Add(new(questionId, question));
        return true;
    }

    public void OnAccepted(AskReply reply)
    {
        if (Find(reply.QuestionId) is { } own)
        {
            own.IsConfirmed = true;
            Settle(own);
        }
    }

    public bool IsBehind(QuestionDescription earlier) => false;

    public void OnDuplicate(QuestionDescription earlier)
    {
        if (Find(earlier.QuestionId) is not { } own)
        {
            return;
        }

        if (earlier.End is { } end)
        {
            Finish(own, end, earlier.Text);
            return;
        }

        own.IsConfirmed = true;
        if (earlier.Deltas > own.Next)
        {
            own.Restart(earlier.Text, earlier.Deltas);
        }

        Settle(own);
    }

    public bool OnNotAsked(string questionId)
    {
        if (Find(questionId) is not { } own || own.IsConfirmed)
        {
            return false;
        }

        _own.Remove(own);
        return true;
    }

    public PendingCancel OnCancelling(string? questionId) => new(questionId);

    /// <summary>Sends no acknowledgement: the final frame is the acknowledgement, for the socket that asked.</summary>
    public void OnCancelReply(PendingCancel pending, CancelReply reply)
    {
        if (reply.Outcome == CancelOutcome.AlreadyDone)
        {
            writer.Enqueue(Refusals.AlreadyDone(reply.QuestionId));
        }
    }

    public void OnNotCancelled(PendingCancel pending)
    {
    }

    private OwnAnswer? Find(string questionId)
    {
        foreach (var own in _own)
        {
            if (own.QuestionId == questionId)
            {
                return own;
            }
        }

        return null;
    }

    private void Settle(OwnAnswer own)
    {
        TryFinish(own);
        if (own.IsBroken && own.End is null)
        {
            FetchIfConfirmed(own);
        }
    }

    private void TryFinish(OwnAnswer own)
    {
        if (!own.IsConfirmed || own.End is not { } end)
        {
            return;
        }

        if (own.IsBroken || own.Next != end.Deltas)
        {
            FetchIfConfirmed(own);
            return;
        }

        Finish(own, end, own.Text);
    }

    private void Finish(OwnAnswer own, QuestionEnd end, string text)
    {
        if (_own.Remove(own))
        {
            writer.Enqueue(BasicFrames.Of(own.QuestionId, end, text, maxFrameBytes));
        }
    }

    private void FetchIfConfirmed(OwnAnswer own)
    {
        if (!own.IsConfirmed)
        {
            return;
        }

        own.MustFetch = true;
        if (!_isFetching)
        {
            _isFetching = true;
            _ = FetchAllAsync();
        }
    }

    private static QuestionEnd Lost(OwnAnswer own) => new()
    {
        Status = QuestionStatus.Failed,
        Reason = DoneReasons.ResponderLost,
        Message = "The answer was lost.",
        IsRetryable = true,
        Deltas = own.Next,
    };

    /// <summary>Fetches one answer after the other, each when there is room for it, so that a client that does not read holds only one.</summary>
    private async Task FetchAllAsync()
    {
        // The caller holds the gate.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (true)
        {
            flush();
            await writer.WaitForRoomAsync();
            OwnAnswer? own;
            lock (gate)
            {
                own = _own.Find(static own => own.MustFetch);
                _isFetching = own is not null;
                if (own is null)
                {
                    return;
                }

                own.MustFetch = false;
            }

            var question = await fetch(own.QuestionId);
            lock (gate)
            {
                TakeFetched(own, question);
            }
        }
    }

    private void TakeFetched(OwnAnswer own, QuestionDescription? question)
    {
        if (question is null)
        {
            Finish(own, Lost(own), own.Text);
        }
        else if (question.End is { } end)
        {
            Finish(own, end, question.Text);
        }
        else
        {
            own.Restart(question.Text, question.Deltas);
            own.IsBroken = own.End is not null;
            TryFinish(own);
        }
    }
}
