using OrleansSessions.Client.Questions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Sessions;

/// <summary>What events, snapshots and look-ups do to questions. All members hold the session's lock.</summary>
internal sealed class QuestionEvents(QuestionTable questions, PendingCancels cancels, ISessionEffects effects)
{
    private bool _hasKnownOpenOnes;
    private bool _lastCanBeOld;

    /// <summary>The server lists the open questions.</summary>
    public void OnListed(IReadOnlyList<OpenQuestion> open, long last)
    {
        for (var i = 0; i < open.Count; i++)
        {
            // The server lists them in its order, and accepts the next ones after its present number.
            var question = Obtain(open[i].QuestionId);
            question.Accept(0);
            question.Order = last - (open.Count - 1 - i);
        }

        _hasKnownOpenOnes |= open.Count > 0;
    }

    /// <summary>
    /// The events of a gap are not available. In their place the server shows its last question, also if that has ended long ago. It began or ended in the gap
    /// if the log went on there, or if this client has known open questions, because then the last one of them is either known here as ended or followed by it.
    /// Otherwise it can have ended before this client connected, and is not told.
    /// </summary>
    public void OnGap(bool wentOn) => _lastCanBeOld = !wentOn && !_hasKnownOpenOnes;

    /// <summary>Applies an event that is next in the log, or is repeated for a question that was asked again.</summary>
    public void Apply(ServerMessage? message)
    {
        switch (message)
        {
            case AcceptedMessage accepted when Knows(accepted.QuestionId) || questions.IsNew(accepted.QuestionId, accepted.Seq):
                var question = Obtain(accepted.QuestionId);
                question.LearnText(accepted.Question);
                question.Accept(accepted.Position, accepted.Seq);
                _hasKnownOpenOnes = true;
                break;
            case DeltaMessage delta when Knows(delta.QuestionId):
                OnDelta(Obtain(delta.QuestionId), delta);
                break;
            case DoneMessage done:
                cancels.Ended(done.QuestionId);
                if (Knows(done.QuestionId))
                {
                    Finish(Obtain(done.QuestionId), done.End);
                }

                break;
        }
    }

    public void OnSnapshot(SnapshotMessage snapshot)
    {
        if (snapshot.End is not null && questions.Find(snapshot.QuestionId) is null && (_lastCanBeOld || questions.HasEnded(snapshot.QuestionId)))
        {
            return;
        }

        var question = Obtain(snapshot.QuestionId);
        question.LearnText(snapshot.Question);
        if (question.Join(snapshot.Part, snapshot.Parts, snapshot.Text) is not { } text)
        {
            return;
        }

        question.Accept(0);
        question.Replace(text, snapshot.Deltas, snapshot.Epoch);
        if (snapshot.End is not null)
        {
            Finish(question, snapshot.End);
        }
    }

    /// <summary>Takes what the server has of a question.</summary>
    /// <param name="stored">Null if it has none.</param>
    /// <returns>False if the question must be read again: more of it is known than what was read, or the session has come back since the read began.</returns>
    public static bool OnRead(Question question, StoredQuestion? stored)
    {
        if (question.IsOver)
        {
            return true;
        }

        if (question.IsReadStale && stored is not { End: not null })
        {
            question.IsReadStale = false;
            return false;
        }

        if (stored is null)
        {
            question.IsBeingRead = false;
            if (question.Ask is null)
            {
                question.Fail(question.KnownEnd is null ? new QuestionLostException(question.Id) : new AnswerUnreadableException(question.Id));
            }

            return true;
        }

        question.LearnText(stored.Question);
        if (stored.End is not null)
        {
            Take(question, stored);
            question.Finish(stored.End);
            return true;
        }

        question.Publish();
        question.Accept(0);
        if (stored.Position.Epoch != question.Epoch || stored.Position.Deltas > question.Next)
        {
            Take(question, stored);
        }

        // What arrived during the read can be after what was read.
        question.IsBeingRead = question.KnownEnd is not null || question.DeltasSeen > question.Next;
        return !question.IsBeingRead;
    }

    /// <summary>A question could not be read, after several tries.</summary>
    public static void OnUnreadable(Question question, Exception? fault, bool isLive)
    {
        question.IsBeingRead = question.IsReadStale = false;

        // Without a connection, the next one looks again.
        if (isLive && question.Ask is null && (question.KnownEnd is not null || question.IsMissing))
        {
            question.Fail(new AnswerUnreadableException(question.Id, fault));
        }
    }

    private static void Take(Question question, StoredQuestion stored) =>
        question.Replace(stored.Text, stored.Position.Deltas, stored.Position.Epoch);

    /// <summary>A question that the server tells of, or that is being asked.</summary>
    public Question Obtain(string id)
    {
        var question = questions.Obtain(id);
        question.Publish();
        return question;
    }

    /// <summary>False for a question that has ended, whose events are repeated.</summary>
    private bool Knows(string id) => questions.Find(id) is not null || !questions.HasEnded(id);

    private void OnDelta(Question question, DeltaMessage delta)
    {
        question.Accept(0);
        if (!question.TryAppend(delta.Index, delta.Count, delta.Text))
        {
            Read(question);
        }
    }

    private void Finish(Question question, QuestionEnd end)
    {
        if (question.IsWhole(end))
        {
            question.Finish(Ends.Of(question.Id, end));
        }
        else
        {
            question.Accept(0);
            question.KnownEnd = end;
            Read(question);
        }
    }

    public void Read(Question question)
    {
        if (!question.IsBeingRead && !question.IsOver)
        {
            (question.IsBeingRead, question.IsReadStale) = (true, false);
            effects.Read(question);
        }
    }
}
