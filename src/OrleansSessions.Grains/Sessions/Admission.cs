using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Decides whether a new question is admitted, and whose question gives way to it.</summary>
/// <param name="responder">Answers the questions that are asked from now on.</param>
/// <param name="checkOptions">Says what is wrong with a question's options, or null. If it throws, nothing has changed.</param>
internal sealed class Admission(
    Session session, QuestionQueue open, SessionsOptions options, ResponderRegistration responder, Func<string, OptionFault?> checkOptions)
{
    /// <summary>
    /// The first half of asking: the reply to a question that was asked before, or can never be asked. Null for any other, of which <see cref="Admit"/> decides.
    /// </summary>
    public AskReply? FindReply(AskRequest request, DateTimeOffset now)
    {
        // 1. The connection that asks is there: no newer socket outranks it any more.
        session.Orphans.MarkHeard(request.Connection);

        // 2. An id that is known is answered from the log, whatever else goes on.
        if (request.QuestionId is { } id && session.Find(id) is { } earlier)
        {
            return earlier.Text == request.Question
                ? Reply(AskOutcome.Duplicate, earlier) with { Position = open.PositionOf(earlier), Earlier = session.View.Describe(earlier, now) }
                : new() { Outcome = AskOutcome.Conflict, QuestionId = id, Epoch = session.Log.Epoch };
        }

        // 3. A fault of the question itself.
        return FindFault(request) is { } fault ? Refuse(fault, request.QuestionId ?? Identifiers.NewQuestionId(), now) : null;
    }

    /// <summary>True if a question that <see cref="FindReply"/> leaves open would be open in addition to those that are. Changes nothing.</summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    public bool WouldAdd(AskRequest request, Func<Question, bool> isOrphaned) => Decide(request, isOrphaned) is (null, { Count: 0 });

    /// <summary>True if others would end for a question that <see cref="FindReply"/> leaves open. Changes nothing.</summary>
    /// <inheritdoc cref="WouldAdd"/>
    public bool WouldEnd(AskRequest request, Func<Question, bool> isOrphaned) => Decide(request, isOrphaned) is (null, { Count: > 0 });

    /// <summary>
    /// Admits a question that <see cref="FindReply"/> leaves open, or says why not; nothing changes unless the outcome is <see cref="AskOutcome.Accepted"/>.
    /// No other question may be asked in between, but those that are open may end.
    /// </summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    public AskReply Admit(AskRequest request, DateTimeOffset now, Func<Question, bool> isOrphaned)
    {
        // 4. Make room, or refuse.
        var id = request.QuestionId ?? Identifiers.NewQuestionId();
        var (refusal, givingWay) = Decide(request, isOrphaned);
        if (refusal is { } reason)
        {
            return Refuse(reason, id, now);
        }

        session.EndEach(givingWay, Ending.Replaced, now);

        // 5. Admit it: running, or last in the queue. In the place of an orphan it runs before those that wait.
        var question = new Question(id, request.Question, now)
        {
            MetadataJson = request.MetadataJson,
            OptionsJson = request.OptionsJson,
            User = request.Caller?.Subject,
            TraceParent = request.Caller?.TraceParent,
            Gateway = request.Gateway,
            Connection = request.Connection,
            IsOrphanable = request.IsOrphanable,
            Responder = responder.Name,
            IsAnsweredFromOutside = responder.IsAnsweredFromOutside,
        };
        open.Add(question, now);
        session.Log.AppendAccepted(question);
        return Reply(AskOutcome.Accepted, question);
    }

    /// <summary>Why a question can never be asked, or null.</summary>
    private Refusal? FindFault(AskRequest request) =>
        request.Question.Length == 0 ? new Refusal(AskOutcome.Empty)
        : Encoding.UTF8.GetByteCount(request.Question) > options.MaxQuestionBytes ? new Refusal(AskOutcome.TooLarge)
        : request.OptionsJson is { } json && checkOptions(json) is { } fault ? new Refusal(AskOutcome.BadOptions, fault)
        : null;

    /// <summary>Who gives way to a question; no one where it is refused.</summary>
    private (Refusal? Refusal, List<Question> GivingWay) Decide(AskRequest request, Func<Question, bool> isOrphaned)
    {
        if (open.Running is null)
        {
            return (null, []);
        }

        if (request.IfBusy == IfBusy.Replace)
        {
            return (null, [.. open.All]);
        }

        if (session.Orphans.FindThatGiveWayTo(request.Connection, isOrphaned) is { Count: > 0 } abandoned)
        {
            return (null, abandoned);
        }

        if (request.IfBusy == IfBusy.Reject)
        {
            return (new Refusal(AskOutcome.Busy), []);
        }

        return (open.Waiting.Count >= options.MaxQueuedQuestions ? new Refusal(AskOutcome.QueueFull) : null, []);
    }

    private AskReply Reply(AskOutcome outcome, Question question) => new()
    {
        Outcome = outcome,
        QuestionId = question.Id,
        Epoch = session.Log.Epoch,
        Seq = session.Log.SeqOf(question, question.AcceptedSeq),
        Position = question.AcceptedPosition,
    };

    private AskReply Refuse(Refusal refusal, string id, DateTimeOffset now)
    {
        var active = refusal.Outcome is AskOutcome.Busy or AskOutcome.QueueFull ? open.Running : null;
        var activeFor = active is null ? TimeSpan.Zero : now - active.StartedAt;
        return new()
        {
            Outcome = refusal.Outcome,
            QuestionId = id,
            Epoch = session.Log.Epoch,
            ActiveQuestionId = active?.Id,
            ActiveForMs = Question.Milliseconds(activeFor),
            FaultyOption = refusal.OptionFault?.Option,
            FaultMessage = refusal.OptionFault?.Message,
        };
    }

    /// <summary>Why a question is not admitted.</summary>
    /// <param name="OptionFault">For <see cref="AskOutcome.BadOptions"/>: what is wrong.</param>
    private readonly record struct Refusal(AskOutcome Outcome, OptionFault? OptionFault = null);
}
