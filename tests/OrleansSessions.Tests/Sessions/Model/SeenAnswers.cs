using System.Text;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>Who was asked for an answer, how often, and what they said: an answer is always a beginning of that.</summary>
internal sealed class SeenAnswers(ModelCase modelCase)
{
    private readonly List<ModelAnswer> _asked = [];

    /// <summary>The next piece of a responder's answer.</summary>
    public static string Next(ModelAnswer answer, int bytes) =>
        Script.Piece($"{answer.Context.MetadataJson}/{answer.Context.Attempt}", Encoding.UTF8.GetByteCount(answer.Said), bytes);

    /// <summary>The responder is asked. What may be asked again is its own declaration.</summary>
    /// <param name="isHung">True if a process asks that had hung. What it gets reaches no one.</param>
    public void NoteAsked(ModelAnswer answer, bool isHung)
    {
        if (isHung)
        {
            _asked.Add(answer);
            return;
        }

        var context = answer.Context;
        var earlier = _asked.FindAll(other => other.Context.MetadataJson == context.MetadataJson).OrderBy(other => other.Context.Attempt).ToList();
        BrokenException.Unless(
            earlier.TrueForAll(other => other.Context.Attempt < context.Attempt),
            $"I1: attempt {context.Attempt} at {context.QuestionId} is asked after a later one");
        var soFar = context.AnswerSoFar;
        switch (modelCase.Recovery)
        {
            case RecoveryMode.Fail:
                BrokenException.Unless(context.Attempt == 1, $"{context.QuestionId} is asked again");
                break;
            case RecoveryMode.AskAgain:
                BrokenException.Unless(context.Attempt <= modelCase.MaxAttempts, $"{context.QuestionId} is asked for the {context.Attempt}th time");
                BrokenException.Unless(soFar.Length == 0, $"{context.QuestionId} is asked again with a text");
                break;
            case RecoveryMode.Continue:
                BrokenException.Unless(
                    earlier.Count == 0 ? soFar.Length == 0 : earlier[^1].Said.StartsWith(soFar, StringComparison.Ordinal),
                    $"{context.QuestionId} continues what was never said");
                var saved = earlier.Select(other => other.Saved).DefaultIfEmpty().Max();
                BrokenException.Unless(soFar.Length >= saved, $"{context.QuestionId} continues at {soFar.Length}, but {saved} was saved");
                var since = earlier.Append(answer).First(other => other.Context.AnswerSoFar.Length == soFar.Length).Context.Attempt;
                BrokenException.Unless(
                    since == context.Attempt || context.Attempt - since < modelCase.MaxAttempts,
                    $"{context.QuestionId} had {context.Attempt - since + 1} attempts in vain");
                break;
        }

        _asked.Add(answer);
    }

    /// <summary>So much of the running answer is in the store for good.</summary>
    public void NoteSaved(QuestionDescription running)
    {
        if (_asked.FindLast(answer => (answer.Context.QuestionId, answer.Context.Attempt) == (running.QuestionId, running.Attempt)) is { } answer)
        {
            answer.Saved = running.Text.Length;
        }
    }

    /// <summary>The text of a question is a beginning of what was said for it, in the attempt that counts.</summary>
    public void Check(QuestionDescription question)
    {
        if (modelCase.Recovery is null)
        {
            BrokenException.Unless(
                Script.IsBeginning(question.QuestionId, question.Text), $"the answer to {question.QuestionId} is not what was sent");
            return;
        }

        var isSaid = question.Text.Length == 0 || _asked.Exists(answer =>
            (answer.Context.QuestionId, answer.Context.Question) == (question.QuestionId, question.Question) && answer.Context.Attempt <= question.Attempt
            && (modelCase.Recovery == RecoveryMode.Continue || answer.Context.Attempt == question.Attempt)
            && answer.Said.StartsWith(question.Text, StringComparison.Ordinal));
        BrokenException.Unless(isSaid, $"the answer to {question.QuestionId} was never said");
        BrokenException.Unless(
            question.End?.Status != QuestionStatus.Completed || _asked.Exists(answer =>
                answer.Context.QuestionId == question.QuestionId && answer.Context.Attempt == question.Attempt && answer.Said == question.Text),
            $"{question.QuestionId} is complete, but its answer is not whole");
    }
}
