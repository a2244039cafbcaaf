using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Decides whether a new question is admitted, and whose question gives way to it.</summary>
internal sealed class Admission(Session session, QuestionQueue open, Orphans orphans, SessionsOptions options)
{
    /// <summary>Makes room for a question, or returns why it is refused; then nothing has changed.</summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    public AskOutcome? MakeRoom(AskRequest request, DateTimeOffset now, Func<Question, bool> isOrphaned)
    {
        if (FindFault(request.Question) is { } fault)
        {
            return fault;
        }

        if (open.Running is null)
        {
            return null;
        }

        if (request.IfBusy == IfBusy.Replace)
        {
            session.EndAll(Ending.Replaced, now);
            return null;
        }

        if (orphans.FindThatGiveWayTo(request.Connection, isOrphaned) is { Count: > 0 } abandoned)
        {
            session.EndEach(abandoned, Ending.Replaced, now);
            return null;
        }

        if (request.IfBusy == IfBusy.Reject)
        {
            return AskOutcome.Busy;
        }

        return open.Waiting.Count >= options.MaxQueuedQuestions ? AskOutcome.QueueFull : null;
    }

    /// <summary>Why a question can never be asked, or null.</summary>
    private AskOutcome? FindFault(string question) =>
        question.Length == 0 ? AskOutcome.Empty
        : Encoding.UTF8.GetByteCount(question) > options.MaxQuestionBytes ? AskOutcome.TooLarge
        : null;
}
