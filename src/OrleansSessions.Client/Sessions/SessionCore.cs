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
    private readonly QuestionEvents _events;
    private SessionStop? _stop;
    private bool _isLive;
    private int _maxMessageBytes = int.MaxValue;

    public SessionCore(string session, ISessionEffects effects)
    {
        _effects = effects;
        _cancels = new(effects);
        Questions = new(session, _log);
        _events = new(Questions, _cancels, effects);
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

        var question = _events.Obtain(id);
        if (!question.IsAccepted)
        {
            question.AskWith(text, frame);
            if (_isLive)
            {
                SendAsk(question);
            }
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
        question.IsQuiet = question.IsMissing = true;
        _events.Read(question);
        return question;
    }

    /// <summary>Cancels a question; without an id, the running one.</summary>
    /// <returns>Completes with null when the server has taken it, otherwise with the refusal. It never fails.</returns>
    public Task<SessionException?> CancelAsync(string? id)
    {
        if (_stop is not null)
        {
            return Task.FromResult<SessionException?>(new SessionStoppedException(_stop));
        }

        var question = id is null ? Questions.Running : Questions.Find(id);
        if (question is { Ask: not null, WasSent: false })
        {
            question.Withdraw();
            return Task.FromResult<SessionException?>(null);
        }

        return _cancels.AddAsync(id, question?.Id, _isLive);
    }

    /// <summary>The connection is gone.</summary>
    public void Disconnected() => _isLive = _log.IsReplaying = false;

    /// <summary>Takes what the server has of a question, or null if it has none.</summary>
    /// <returns>False if the question must be read again: more of it is known to exist than the server shows yet.</returns>
    public static bool OnRead(Question question, StoredQuestion? stored) => QuestionEvents.OnRead(question, stored);

    /// <summary>A question could not be read, after several tries.</summary>
    public void OnUnreadable(Question question, Exception? fault) => QuestionEvents.OnUnreadable(question, fault, _isLive);

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
            case SnapshotMessage snapshot: _events.OnSnapshot(snapshot); break;
            case CancellingMessage cancelling: _cancels.Cancelling(cancelling.QuestionId); break;
            case ErrorMessage error: OnError(error); break;
            case ServerPingMessage ping: OnPing(ping.Seq); break;
            case ExpiringMessage: _effects.RenewToken(null); break;
            case ReconnectMessage reconnect: _effects.Move(TimeSpan.FromMilliseconds(reconnect.DelayMs)); break;
            default: OnNumbered(frame); break;
        }
    }

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
            // The first number of an epoch stands for all that was before it.
            _events.OnGap(resumed.ToSeq > (resumed.Epoch == _log.Epoch ? _log.Last : 1));
            _log.MoveTo(resumed.Epoch, resumed.ToSeq);
        }

        Settle(resumed.Open);
    }

    /// <summary>Sends what the server has not accepted, and looks up what it no longer lists as open.</summary>
    private void Settle(IReadOnlyList<OpenQuestion> open)
    {
        _isLive = true;
        _effects.Live();
        _cancels.Begin(open);
        foreach (var question in Questions.Open)
        {
            question.IsReadStale = question.IsBeingRead;
        }

        var ids = open.Select(static question => question.QuestionId).ToHashSet();
        foreach (var question in Questions.Open.Where(question => !ids.Contains(question.Id)).ToArray())
        {
            if (question.Ask is not null)
            {
                // A cancel goes directly after its question, so that the next one is not refused because of a question that nobody wants.
                SendAsk(question);
                _cancels.Send(question.Id);
            }
            else
            {
                question.IsMissing = true;
                _events.Read(question);
            }
        }

        _events.OnListed(open, _log.Last);
        _cancels.SendAll();
    }

    private void SendAsk(Question question)
    {
        if (question.Ask!.Length > _maxMessageBytes)
        {
            // The server would close the connection, and so end this client.
            question.Fail(RefusalErrors.Of(
                WireErrors.MessageTooLarge, $"The message of the question has {question.Ask.Length} bytes. The server takes {_maxMessageBytes}.",
                question.Id));
            return;
        }

        question.WasSent = true;
        _effects.Send(question.Ask);
    }

    private void OnNumbered(in ServerFrame frame)
    {
        if (frame.Seq is null)
        {
            return;
        }

        switch (_log.Judge(frame))
        {
            case FrameVerdict.Apply: _events.Apply(frame.Message); break;
            case FrameVerdict.Rewind: Rewind(); break;
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
        else if (error.QuestionId is { } id && Questions.Find(id) is { Ask: not null, IsAccepted: false } question
            && error.Error.Code != WireErrors.QuestionNotFound.Code)
        {
            if (!ClosesForNow(error.Error))
            {
                question.Fail(RefusalErrors.Of(error));
            }
        }
        else if (error.QuestionId is null && error.Error.Code == WireErrors.RateLimited.Code)
        {
            if (IsWaiting)
            {
                // The server has read nothing of a message, so it is not known which one must be sent again. The next connection sends what is missing.
                _effects.Leave();
            }
        }
        else if (!ClosesForNow(error.Error))
        {
            _cancels.Refuse(error);
        }
    }

    /// <summary>True while something that was sent has no answer.</summary>
    private bool IsWaiting => _log.IsReplaying || !_cancels.IsEmpty || Questions.Open.Any(static question => question.Ask is not null);

    /// <summary>True if the socket is closed, and the client comes back: what has no answer is kept, and sent on the next connection.</summary>
    private static bool ClosesForNow(WireError error) => error.CloseCode is { } code && !CloseRules.Stops(code);
}
