using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

// Who may ask, and whose question gives way.
internal sealed partial class Session
{
    /// <summary>Admits a question or says why not; nothing changes unless the outcome is <see cref="AskOutcome.Accepted"/>.</summary>
    /// <param name="isOrphaned">Tells whether no one is left who could get a question's answer.</param>
    public AskReply Ask(AskRequest request, DateTimeOffset now, Func<Question, bool> isOrphaned)
    {
        // 1. Whoever asks is there: no newer socket outranks it any more.
        MarkHeard(request.Connection);

        // 2. An id that is known is answered from the log, whatever else goes on.
        var id = request.QuestionId ?? NewQuestionId();
        if (Find(id) is { } earlier)
        {
            return earlier.Text == request.Question
                ? new()
                {
                    Outcome = AskOutcome.Duplicate,
                    QuestionId = id,
                    Epoch = Log.Epoch,
                    Seq = earlier.AcceptedSeq,
                    Position = PositionOf(earlier),
                    Earlier = Describe(earlier, now),
                }
                : new() { Outcome = AskOutcome.Conflict, QuestionId = id, Epoch = Log.Epoch };
        }

        // 3. Make room, or refuse.
        if ((Unfit(request) ?? MakeRoom(request, now, isOrphaned)) is { } refusal)
        {
            return Refuse(refusal, id, now);
        }

        // 4. Admit it: running, or last in the queue. In the place of an orphan it runs before those that wait.
        var question = new Question(id, request.Question, now)
        {
            MetadataJson = request.MetadataJson,
            Gateway = request.Gateway,
            Connection = request.Connection,
            IsOrphanable = request.IsOrphanable,
            Responder = _responder.Name,
            IsAnsweredFromOutside = _responder.IsAnsweredFromOutside,
        };
        if (Running is null)
        {
            OpenNow(question, now);
        }
        else
        {
            question.Status = QuestionStatus.Queued;
            _queue.Add(question);
            question.AcceptedPosition = _queue.Count;
        }

        _byId.Add(id, question);
        Log.AppendAccepted(question);
        return new()
        {
            Outcome = AskOutcome.Accepted,
            QuestionId = id,
            Epoch = Log.Epoch,
            Seq = question.AcceptedSeq,
            Position = question.AcceptedPosition,
        };
    }

    /// <summary>
    /// A basic socket has opened. What other basic sockets asked without an id gives way to its question, unless they are heard from again:
    /// a connection that broke without a word would block the next one until its heartbeats fail.
    /// </summary>
    public void Outrank(string connection)
    {
        foreach (var question in Open)
        {
            if (question.IsOrphanable && question.Connection != connection)
            {
                question.OutrankedBy = connection;
            }
        }
    }

    /// <summary>Marks what a connection that is gone had asked without an id: no one else can ever get that answer.</summary>
    public void ForgetConnection(string connection)
    {
        foreach (var question in Open.Where(question => question.Connection == connection))
        {
            question.IsConnectionGone = true;
        }
    }

    /// <summary>Why a question can never be asked, or null.</summary>
    private AskOutcome? Unfit(AskRequest request)
    {
        if (request.Question.Length == 0)
        {
            return AskOutcome.Empty;
        }

        return Encoding.UTF8.GetByteCount(request.Question) > _options.MaxQuestionBytes ? AskOutcome.TooLarge : null;
    }

    /// <summary>Ends what gives way to a question. The refusal, where nothing does and there is no room.</summary>
    private AskOutcome? MakeRoom(AskRequest request, DateTimeOffset now, Func<Question, bool> isOrphaned)
    {
        if (Running is not { } running)
        {
            return null;
        }

        if (request.IfBusy == IfBusy.Replace)
        {
            EndAll(DoneReasons.Replaced, now);
            return null;
        }

        if (IsAbandoned(running, request, isOrphaned))
        {
            EndAbandoned(request, isOrphaned, now);
            return null;
        }

        if (request.IfBusy == IfBusy.Reject)
        {
            return AskOutcome.Busy;
        }

        return _queue.Count >= _options.MaxQueuedQuestions ? AskOutcome.QueueFull : null;
    }

    private static bool IsAbandoned(Question question, AskRequest request, Func<Question, bool> isOrphaned) =>
        isOrphaned(question) || (question.OutrankedBy is { } newer && newer == request.Connection);

    /// <summary>Ends the orphans, running and waiting, and no one else's question.</summary>
    private void EndAbandoned(AskRequest request, Func<Question, bool> isOrphaned, DateTimeOffset now) => ConcludeAll(
        [.. Open.Where(question => IsAbandoned(question, request, isOrphaned))], QuestionStatus.Cancelled, DoneReasons.Replaced, ReplacedMessage, false, now);

    private void MarkHeard(string? connection)
    {
        if (Running is null)
        {
            return;
        }

        foreach (var question in Open)
        {
            if (question.OutrankedBy is not null && question.Connection == connection)
            {
                question.OutrankedBy = null;
            }
        }
    }

    private AskReply Refuse(AskOutcome outcome, string id, DateTimeOffset now)
    {
        var active = outcome is AskOutcome.Busy or AskOutcome.QueueFull ? Running : null;
        return new()
        {
            Outcome = outcome,
            QuestionId = id,
            Epoch = Log.Epoch,
            ActiveQuestionId = active?.Id,
            ActiveForMs = active is null ? 0 : Milliseconds(now - active.OpenedAt),
        };
    }

    private static string NewQuestionId() => $"q-{Guid.NewGuid():n}"[..18];
}
