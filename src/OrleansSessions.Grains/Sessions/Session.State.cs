using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Sessions;

// Sleeping and waking.
internal sealed partial class Session
{
    /// <summary>All of it that outlives the activation. The texts are shared, not copied: they never change.</summary>
    public SessionState ToState(DateTimeOffset now)
    {
        var questions = _ended.Concat(Open).ToList();
        var last = _ended.LastOrDefault(question => question.Deltas > 0);
        bool HasBoundaries(Question question) => ReferenceEquals(question, last) && question.DeltaEnds.Count == question.Deltas;
        return new SessionState
        {
            Epoch = Log.Epoch,
            Head = Log.Head,
            UsedAt = now,
            Questions = questions.ConvertAll(question => QuestionState.From(question, HasBoundaries(question))),
            LogTail = Log.SaveTail(questions, HasBoundaries),
        };
    }

    /// <summary>
    /// Takes up a state. Without an open question the numbers go on. With one, its responder is lost with the process that ran it:
    /// it ends as failed, in a new epoch, and the queue goes on.
    /// </summary>
    public void Restore(SessionState state, long newEpoch, DateTimeOffset now)
    {
        var questions = state.Questions.ConvertAll(question => question.ToQuestion());
        _ended.AddRange(questions.Where(question => question.IsFinal));
        _keptBytes = _ended.Sum(question => question.KeptBytes);
        _ended.ForEach(_history.Add);
        questions.ForEach(question => _byId.Add(question.Id, question));
        if (!state.HasOpenQuestion)
        {
            // A delta from before long pieces were split is too long for a frame: nothing is replayed then, and readers get a snapshot.
            var tail = questions.Exists(question => question.LongestDelta > MaxDeltaBytes) ? [] : state.LogTail;
            Log = SessionLog.RestoreTail(state.Epoch, state.Head, questions, tail);
            return;
        }

        // Numbers of the log's life before mean nothing in this one. Its first, which the end below takes, is one that every reader comes by.
        questions.ForEach(question => (question.AcceptedSeq, question.DoneSeq) = (1, question.IsFinal ? 1 : 0));
        Log = new SessionLog(newEpoch);
        _queue.AddRange(questions.Where(question => question.Status == QuestionStatus.Queued));
        Running = questions.Find(question => !question.IsFinal && question.Status != QuestionStatus.Queued);

        // Those that have waited too long meanwhile must not get their turn.
        EndOverdueInQueue(now);
        if (Running is { } lost)
        {
            End(
                lost, QuestionStatus.Failed, DoneReasons.ResponderLost, "The process that was answering is gone. Ask again.", true, now);
        }

        OpenNext(now);
    }

    /// <summary>Forgets everything; the log begins a new epoch.</summary>
    public void Clear(long newEpoch)
    {
        _ended.Clear();
        _keptBytes = 0;
        _queue.Clear();
        _byId.Clear();
        _history.Clear();
        Running = null;
        Log = new SessionLog(newEpoch);
    }
}
