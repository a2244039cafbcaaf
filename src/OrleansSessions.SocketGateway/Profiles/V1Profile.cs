using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Profiles;

/// <summary>Version 1: every event is a frame, and the client knows its position.</summary>
internal sealed class V1Profile(FrameWriter writer, Func<AttachReply, bool, HelloMessage> hello, Action onRemoved) : IProfile
{
    private const int MaxRememberedAsks = 32;

    private readonly List<PendingCancel> _cancels = [];
    private Queue<string>? _asked;
    private string? _answering;
    private int _nextIndex;
    private string? _lastDone;

    // A client that rewinds counts from a position that only it knows exactly, so everything that it was sent before is sent again delta by delta.
    private long _rewoundFrom;

    // Where the text of the last snapshot of an open question ends. No run may cross this index, because a client cannot apply half a run.
    private List<(string QuestionId, int Index)>? _borders;

    /// <summary>The client's position: the last number that was written, or the position that the client reported after that.</summary>
    public long LastSeq { get; private set; }

    public bool IsFull => writer.IsFull;

    /// <summary>A v1 client gets every answer on its next connection, too.</summary>
    public bool HasOwnOpen => false;

    public void OnAttached(AttachReply reply, long? resumeAfter)
    {
        writer.Enqueue(hello(reply, resumeAfter is not null));
        LastSeq = resumeAfter ?? reply.Seq;
        if (resumeAfter is null && reply.Snapshot is { } open)
        {
            WriteSnapshot(open, reply.Epoch);
        }
    }

    public void OnEvent(LogEvent next, bool isReplay)
    {
        switch (next.Kind)
        {
            case LogEventKind.Delta:
                writer.EnqueueDelta(next, isReplay, mayJoin: next.Seq > _rewoundFrom + 1 && !IsAtBorder(next));
                (_answering, _nextIndex) = (next.QuestionId, next.Index + 1);
                break;
            case LogEventKind.Accepted:
                var isOwn = _asked is not null && _asked.Contains(next.QuestionId);
                writer.Enqueue(new AcceptedMessage(next.Seq, next.QuestionId, false, next.Position, isOwn ? null : next.Text, isReplay));
                break;
            case LogEventKind.Done when next.End is { } end:
                AcknowledgeBefore(next.QuestionId, end);
                writer.Enqueue(new DoneMessage(next.Seq, next.QuestionId, end, isReplay));
                _lastDone = next.QuestionId;
                RemoveBorder(next.QuestionId);
                break;
            default:
                // The kind belongs to a later version. Clients may know it, and all of them must count its number.
                writer.Enqueue(new OtherEventMessage(next.Seq, next.QuestionId, next.OtherKind ?? "event", next.BodyJson, isReplay));
                break;
        }

        LastSeq = next.Seq;
        AcknowledgeReached();
    }

    public void OnReplay(long afterSeq)
    {
        _rewoundFrom = Math.Max(_rewoundFrom, LastSeq);
        LastSeq = afterSeq;
    }

    public void OnRecovered(LogPiece atHead)
    {
        LastSeq = atHead.Head;
        writer.Enqueue(new ResumedMessage(true, null, Epochs.ToWire(atHead.Epoch), atHead.Head, atHead.Open));
    }

    public void OnLost(LogPiece piece)
    {
        _rewoundFrom = 0;
        _borders = null;
        LastSeq = piece.Head;
        _cancels.ForEach(static pending => pending.IsSettled = true);
        _cancels.Clear();
        var reason = piece.Outcome switch
        {
            LogReadOutcome.Expired => "expired",
            LogReadOutcome.Trimmed => "trimmed",
            _ => "epoch_changed",
        };
        writer.Enqueue(new ResumedMessage(false, reason, Epochs.ToWire(piece.Epoch), piece.Head, piece.Open));
        if (piece.Snapshot is { } question)
        {
            WriteSnapshot(question, piece.Epoch);
        }
    }

    public void OnRemoved() => onRemoved();

    public bool OnAsking(string questionId, string question)
    {
        _asked ??= new();
        if (!_asked.Contains(questionId))
        {
            if (_asked.Count == MaxRememberedAsks)
            {
                _asked.Dequeue();
            }

            _asked.Enqueue(questionId);
        }

        return true;
    }

    /// <summary>Sends nothing, because the event tells the client, in its place among the others.</summary>
    public void OnAccepted(AskReply reply)
    {
    }

    public bool IsBehind(QuestionDescription earlier) =>
        earlier.End is null
        && (_lastDone == earlier.QuestionId || (_answering == earlier.QuestionId && _nextIndex > earlier.Deltas));

    public void OnDuplicate(QuestionDescription earlier)
    {
        writer.Enqueue(new AcceptedMessage(earlier.AcceptedSeq, earlier.QuestionId, true, earlier.Position, null));
        WriteSnapshot(earlier, earlier.Epoch);
        WriteDoneAgain(earlier);
    }

    /// <summary>The id remains remembered. That does no harm, and the question may have been accepted after all.</summary>
    public bool OnNotAsked(string questionId) => true;

    public PendingCancel OnCancelling(string? questionId)
    {
        var pending = new PendingCancel(questionId);
        _cancels.Add(pending);
        return pending;
    }

    public void OnCancelReply(PendingCancel pending, CancelReply reply)
    {
        if (reply.Outcome == CancelOutcome.AlreadyDone)
        {
            OnNotCancelled(pending);
            if (reply.Question is { } ended && !pending.IsSettled)
            {
                WriteDoneAgain(ended);
            }

            return;
        }

        if (pending.IsSettled && pending.QuestionId != reply.QuestionId && LastSeq <= reply.AfterSeq)
        {
            // The end that acknowledged this cancel came from another client's cancel. This cancel has ended the next question.
            pending = OnCancelling(reply.QuestionId);
        }

        pending.QuestionId ??= reply.QuestionId;
        pending.AfterSeq = reply.AfterSeq;
        AcknowledgeReached();
    }

    public void OnNotCancelled(PendingCancel pending) => _cancels.Remove(pending);

    /// <summary>Handles the end of a question before the reply to its cancel: <c>cancelling</c> must be sent before the end.</summary>
    private void AcknowledgeBefore(string questionId, QuestionEnd end)
    {
        if (_cancels.Count == 0 || end.Status != QuestionStatus.Cancelled)
        {
            return;
        }

        foreach (var pending in _cancels)
        {
            if (pending.QuestionId == questionId || (pending.QuestionId is null && end.Reason == DoneReasons.ByClient))
            {
                pending.QuestionId = questionId;
                Acknowledge(pending);
            }
        }

        _cancels.RemoveAll(static pending => pending.IsSettled);
    }

    private void AcknowledgeReached()
    {
        if (_cancels.Count == 0)
        {
            return;
        }

        foreach (var pending in _cancels)
        {
            if (pending.AfterSeq <= LastSeq)
            {
                Acknowledge(pending);
            }
        }

        _cancels.RemoveAll(static pending => pending.IsSettled);
    }

    private void Acknowledge(PendingCancel pending)
    {
        if (!pending.IsSettled)
        {
            pending.IsSettled = true;
            writer.Enqueue(new CancellingMessage(pending.QuestionId!));
        }
    }

    private void WriteDoneAgain(QuestionDescription ended)
    {
        // An end that this socket has not reached yet, or reaches again in a replay,
        // follows in its place. Sent here, its number would look as if events were missing.
        if (ended.End is { } end && ended.DoneSeq <= LastSeq)
        {
            writer.Enqueue(new DoneMessage(ended.DoneSeq, ended.QuestionId, end, IsReplay: true));
        }
    }

    private void WriteSnapshot(QuestionDescription question, long epoch)
    {
        writer.EnqueueSnapshot(question, epoch);
        if (question.End is not null)
        {
            return;
        }

        RemoveBorder(question.QuestionId);
        if (question.Deltas > 0)
        {
            (_borders ??= []).Add((question.QuestionId, question.Deltas));
        }

        // The snapshot of a queued question says nothing about the question that is being answered.
        if (question.Deltas > 0 || _answering == question.QuestionId)
        {
            (_answering, _nextIndex) = (question.QuestionId, question.Deltas);
        }
    }

    private bool IsAtBorder(LogEvent delta)
    {
        if (_borders is null)
        {
            return false;
        }

        foreach (var (questionId, index) in _borders)
        {
            if (index == delta.Index && questionId == delta.QuestionId)
            {
                return true;
            }
        }

        return false;
    }

    private void RemoveBorder(string questionId)
    {
        for (var i = (_borders?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (_borders![i].QuestionId == questionId)
            {
                _borders.RemoveAt(i);
            }
        }
    }
}
