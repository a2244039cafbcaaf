using OrleansSessions.Client.Frames;
using OrleansSessions.Client.Log;
using OrleansSessions.Client.Questions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Sessions;

/// <summary>
/// What a client does with frames: docs/protocol.md, section 12, without sockets, tasks or time. All members hold the session's lock, and what has to be done
/// goes to <see cref="ISessionEffects"/>.
/// </summary>
internal sealed class SessionCore
{
    /// <summary>The maximum number of questions of this client that the server has not accepted yet.</summary>
    internal const int MaxUnaccepted = 500;

    private readonly ISessionEffects _effects;
    private readonly LogPosition _log = new();
    private readonly PendingCancels _cancels;
    private SessionStop? _stop;
    private bool _isLive;
    private int _maxMessageBytes = int.MaxValue;

    public SessionCore(string session, ISessionEffects effects)
    {
        _effects = effects;
        _cancels = new(effects);
        Questions = new(session, _log);
    }

    public QuestionTable Questions { get; }

    /// <summary>The position from which the next connection resumes: its epoch is null for none.</summary>
    public (string? Epoch, long Last) Position => (_log.Epoch, _log.Last);

    /// <summary>Asks a question, at once or when the session is live. What this client itself refuses is over at once.</summary>
    public Question Ask(string id, string text, byte[] frame)
    {
        if (_stop is not null)
        {
            return Questions.Refused(id, new SessionStoppedException(_stop));
        }

        if (Questions.Open.Count(static question => question.Ask is not null) >= MaxUnaccepted)
        {
            return Questions.Refused(
                id, new("too_many_questions", $"{MaxUnaccepted} questions wait for the server to accept them. Wait for some of them."));
        }

        if (Questions.Find(id) is { Text: { } earlier } && earlier != text)
        {
            return Questions.Refused(id, RefusalErrors.Of(WireErrors.QuestionConflict, $"The question id '{id}' is in use for another text.", id));
        }

        var question = Questions.Obtain(id);
        question.AskWith(text, frame);
        if (_isLive)
        {
            SendAsk(question);
        }

        return question;
    }

    /// <summary>Follows one question. One that this client does not know is read from the server.</summary>
    public Question Follow(string id)
    {
        if (Questions.Find(id) is { } known)
        {
            return known;
        }

        var question = Questions.Obtain(id);
        question.IsMissing = true;
        Read(question);
        return question;
    }

    /// <summary>Cancels a question; without an id, the running one.</summary>
    /// <returns>Completes with null when the server has taken it, otherwise with the refusal. It never fails.</returns>
    public Task<SessionException?> CancelAsync(string? id)
    {
        var running = Questions.Open.Where(static question => question.IsAccepted).MinBy(static question => question.AcceptedSeq)?.Id;
        return _stop is null ? _cancels.AddAsync(id, running, _isLive) : Task.FromResult<SessionException?>(new SessionStoppedException(_stop));
    }

    /// <summary>The connection is gone.</summary>
    public void Disconnected() => _isLive = _log.IsReplaying = false;

    /// <summary>Ends everything.</summary>
    public void Stop(SessionStop stop)
    {
        (_stop, _isLive) = (stop, false);
        Questions.Stop(stop);
        _cancels.Stop(stop);
    }

    /// <summary>Handles a frame of the present connection.</summary>
    public void On(in ServerFrame frame)
    {
        switch (frame.Message)
        {
            case HelloMessage hello: OnHello(hello); break;
            case ResumedMessage resumed: OnResumed(resumed); break;
            case SnapshotMessage snapshot: OnSnapshot(snapshot); break;
            case CancellingMessage cancelling: _cancels.Cancelling(cancelling.QuestionId); break;
            case ErrorMessage error: OnError(error); break;
            case ServerPingMessage ping: OnPing(ping.Seq); break;
            case ExpiringMessage: _effects.RenewToken(null); break;
            case ReconnectMessage reconnect: _effects.Move(TimeSpan.FromMilliseconds(reconnect.DelayMs)); break;
            default: OnNumbered(frame); break;
        }
    }

    /// <summary>Takes what the server has of a question.</summary>
    /// <param name="stored">Null if it has none.</param>
    /// <returns>False if the question must be read again: its end is known, and the server does not show it yet.</returns>
    public static bool OnRead(Question question, StoredQuestion? stored)
    {
        if (question.IsOver)
        {
            return true;
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
    public void OnUnreadable(Question question, Exception? fault)
    {
        question.IsBeingRead = false;

        // Without a connection, the next one looks again.
        if (_isLive && question.Ask is null && (question.KnownEnd is not null || question.IsMissing))
        {
            question.Fail(new AnswerUnreadableException(question.Id, fault));
        }
    }

    private static void Take(Question question, StoredQuestion stored) =>
        question.Replace(stored.Text, stored.Position.Deltas, stored.Position.Epoch);

    private void OnHello(HelloMessage hello)
    {
        _maxMessageBytes = hello.MaxMessageBytes;
        _isLive = false;
        _log.IsReplaying = hello.IsResuming;
        if (!hello.IsResuming)
        {
            _log.MoveTo(hello.Epoch, hello.Seq);
            Settle(hello.Open);
        }
    }

    private void OnResumed(ResumedMessage resumed)
    {
        if (resumed.IsRecovered)
        {
            _log.Resumed(resumed.Epoch, resumed.ToSeq);
        }
        else
        {
            _log.MoveTo(resumed.Epoch, resumed.ToSeq);
        }

        Settle(resumed.Open);
    }

    /// <summary>Sends what the server has not accepted, and looks up what it no longer lists as open.</summary>
    private void Settle(IReadOnlyList<OpenQuestion> open)
    {
        _isLive = true;
        _effects.Live();
        var ids = open.Select(static question => question.QuestionId).ToHashSet();
        foreach (var question in Questions.Open.Where(question => !ids.Contains(question.Id)).ToArray())
        {
            if (question.Ask is not null)
            {
                SendAsk(question);
            }
            else
            {
                question.IsMissing = true;
                Read(question);
            }
        }

        foreach (var question in open)
        {
            Questions.Obtain(question.QuestionId).Accept(0);
        }

        _cancels.SendAll(open);
    }

    private void SendAsk(Question question)
    {
        if (question.Ask!.Length > _maxMessageBytes)
        {
            // The server would close the connection, and so end this client.
            question.Fail(RefusalErrors.Of(
                WireErrors.MessageTooLarge, $"The question has {question.Ask.Length} bytes as a message, and the server takes {_maxMessageBytes}.", question.Id));
            return;
        }

        _effects.Send(question.Ask);
    }

    private void OnSnapshot(SnapshotMessage snapshot)
    {
        if (Questions.Find(snapshot.QuestionId) is null && snapshot.End is not null && Questions.HasEnded(snapshot.QuestionId))
        {
            return;
        }

        var question = Questions.Obtain(snapshot.QuestionId);
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

    private void OnNumbered(in ServerFrame frame)
    {
        if (frame.Seq is null)
        {
            return;
        }

        switch (_log.Judge(frame))
        {
            case FrameVerdict.Apply: Apply(frame); break;
            case FrameVerdict.Rewind: Rewind(); break;
        }
    }

    private void Apply(in ServerFrame frame)
    {
        switch (frame.Message)
        {
            case AcceptedMessage accepted when Knows(accepted.QuestionId) || Questions.IsNew(accepted.QuestionId, accepted.Seq):
                var question = Questions.Obtain(accepted.QuestionId);
                question.LearnText(accepted.Question);
                question.Accept(accepted.Position, accepted.Seq);
                break;
            case DeltaMessage delta when Knows(delta.QuestionId):
                OnDelta(Questions.Obtain(delta.QuestionId), delta);
                break;
            case DoneMessage done:
                _cancels.Ended(done.QuestionId);
                if (Knows(done.QuestionId))
                {
                    Finish(Questions.Obtain(done.QuestionId), done.End);
                }

                break;
        }
    }

    /// <summary>False for a question that has ended, whose events are repeated.</summary>
    private bool Knows(string id) => Questions.Find(id) is not null || !Questions.HasEnded(id);

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

    private void Read(Question question)
    {
        if (!question.IsBeingRead && !question.IsOver)
        {
            question.IsBeingRead = true;
            _effects.Read(question);
        }
    }

    private void OnPing(long seq)
    {
        _effects.Send(ClientFrames.Pong(seq));
        if (seq > _log.Last && !_log.IsReplaying)
        {
            Rewind();
        }
    }

    private void Rewind()
    {
        if (_log.TryRewind())
        {
            _effects.Send(ClientFrames.Resume(_log.Epoch!, _log.Last));
        }
        else
        {
            _effects.Leave();
        }
    }

    private void OnError(ErrorMessage error)
    {
        if (error.Param == "token")
        {
            _effects.RenewToken(RefusalErrors.Of(error));
        }
        else if (_cancels.TryRefuse(error))
        {
            return;
        }
        else if (error.QuestionId is { } id && Questions.Find(id) is { Ask: not null } question && error.Error.Code != WireErrors.QuestionNotFound.Code)
        {
            if (!ClosesForNow(error.Error))
            {
                question.Fail(RefusalErrors.Of(error));
            }
        }
        else if (error.QuestionId is null && error.Error.Code == WireErrors.RateLimited.Code && IsWaiting)
        {
            // The server has read nothing of a message, so it is not known which one must be sent again. The next connection sends what is missing.
            _effects.Leave();
        }
    }

    /// <summary>True while something that was sent has no answer.</summary>
    private bool IsWaiting => _log.IsReplaying || !_cancels.IsEmpty || Questions.Open.Any(static question => question.Ask is not null);

    /// <summary>True if the socket is closed, and the client comes back: the question is kept, and sent on the next connection.</summary>
    private static bool ClosesForNow(WireError error) => error.CloseCode is { } code && !CloseRules.Stops(code);
}
