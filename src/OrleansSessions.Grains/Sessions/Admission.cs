using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Why a question is not admitted.</summary>
/// <param name="OptionFault">For <see cref="AskOutcome.BadOptions"/>: what is wrong.</param>
internal readonly record struct Refusal(AskOutcome Outcome, OptionFault? OptionFault = null);

/// <summary>Decides whether a new question is admitted, and whose question gives way to it.</summary>
/// <param name="checkOptions">Says what is wrong with a question's options, or null. If it throws, nothing has changed.</param>
internal sealed class Admission(
    Session session, QuestionQueue open, Orphans orphans, SessionsOptions options, Func<string, OptionFault?> checkOptions)
{
    /// <summary>Makes room for a question without a fault, or returns why it is refused; then nothing has changed.</summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    public Refusal? MakeRoom(AskRequest request, DateTimeOffset now, Func<Question, bool> isOrphaned)
    {
        var (refusal, givingWay) = Decide(request, isOrphaned);
        session.EndEach(givingWay, Ending.Replaced, now);
        return refusal;
    }

    /// <summary>Why a question can never be asked, or null.</summary>
    public Refusal? FindFault(AskRequest request) =>
        request.Question.Length == 0 ? new Refusal(AskOutcome.Empty)
        : Encoding.UTF8.GetByteCount(request.Question) > options.MaxQuestionBytes ? new Refusal(AskOutcome.TooLarge)
        : request.OptionsJson is { } json && checkOptions(json) is { } fault ? new Refusal(AskOutcome.BadOptions, fault)
        : null;

    /// <summary>True if the question would be open in addition to those that are. Changes nothing.</summary>
    public bool WouldAdd(AskRequest request, Func<Question, bool> isOrphaned) => Decide(request, isOrphaned) is (null, { Count: 0 });

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

        if (orphans.FindThatGiveWayTo(request.Connection, isOrphaned) is { Count: > 0 } abandoned)
        {
            return (null, abandoned);
        }

        if (request.IfBusy == IfBusy.Reject)
        {
            return (new Refusal(AskOutcome.Busy), []);
        }

        return (open.Waiting.Count >= options.MaxQueuedQuestions ? new Refusal(AskOutcome.QueueFull) : null, []);
    }
}
