using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

// Answers that come from outside: whole, or in pieces with offsets.
internal sealed partial class Session
{
    /// <summary>Answers a question whole. Text that earlier pieces gave must be how the response begins.</summary>
    public RespondReply Respond(string? questionId, string response, bool isAttended, DateTimeOffset now)
    {
        var question = questionId is null ? Running : Find(questionId);
        if (question is null)
        {
            return new(questionId is null ? AnswerOutcome.NoOpenQuestion : AnswerOutcome.NotFound, questionId, false);
        }

        if (question.IsFinal)
        {
            return new(AnswerOutcome.AlreadyDone, question.Id, false, question.Status);
        }

        if (!IsAnswerable(question))
        {
            return new(AnswerOutcome.NoOpenQuestion, question.Id, false);
        }

        var soFar = question.Answer;
        if (!response.StartsWith(soFar, StringComparison.Ordinal))
        {
            return new(AnswerOutcome.OffsetMismatch, question.Id, false);
        }

        TryAppend(question, question.Attempt, response[soFar.Length..], now);
        TryEnd(question, question.Attempt, QuestionStatus.Completed, null, null, false, now);
        return new(AnswerOutcome.Taken, question.Id, isAttended, question.Status);
    }

    /// <summary>Adds a piece at an offset. A piece that was taken before is taken again without effect.</summary>
    public AppendReply AppendFromOutside(AppendRequest request, DateTimeOffset now)
    {
        if (Find(request.QuestionId) is not { } question)
        {
            return new(AnswerOutcome.NotFound, 0);
        }

        var isRepeat = IsRepeat(question, request);
        if (question.IsFinal)
        {
            var isSameEnd = isRepeat && request.IsFinal && question.Status == QuestionStatus.Completed;
            return new(isSameEnd ? AnswerOutcome.Taken : AnswerOutcome.AlreadyDone, question.Bytes, question.Status);
        }

        if (!IsAnswerable(question))
        {
            return new(AnswerOutcome.NoOpenQuestion, 0);
        }

        if (request.Attempt != question.Attempt)
        {
            return new(AnswerOutcome.StaleAttempt, question.Bytes);
        }

        if (request.Offset != question.Bytes && !isRepeat)
        {
            return new(AnswerOutcome.OffsetMismatch, question.Bytes);
        }

        if (request.Offset == question.Bytes)
        {
            TryAppend(question, request.Attempt, request.Text, now);
        }

        EndFromOutside(question, request, now);
        return question.Status == QuestionStatus.Incomplete
            ? new(AnswerOutcome.AlreadyDone, question.Bytes, question.Status)
            : new(AnswerOutcome.Taken, question.Bytes);
    }

    private void EndFromOutside(Question question, AppendRequest request, DateTimeOffset now)
    {
        if (request.ErrorCode is { } code)
        {
            var message = request.ErrorMessage is null ? code : $"{code}: {request.ErrorMessage}";
            TryEnd(question, request.Attempt, QuestionStatus.Failed, DoneReasons.ResponderError, message, true, now);
        }
        else if (request.IsFinal)
        {
            TryEnd(question, request.Attempt, QuestionStatus.Completed, null, null, false, now);
        }
    }

    private bool IsAnswerable(Question question) => _isAnsweredFromOutside && ReferenceEquals(question, Running);

    /// <summary>True if the answer already ends with, or goes past, exactly this piece at this offset.</summary>
    private static bool IsRepeat(Question question, AppendRequest request)
    {
        var length = Encoding.UTF8.GetByteCount(request.Text);
        if (request.Attempt != question.Attempt || request.Offset < 0 || request.Offset > question.Bytes - length
            || (request.IsFinal && request.Offset != question.Bytes - length))
        {
            return false;
        }

        var taken = Encoding.UTF8.GetBytes(question.Answer).AsSpan((int)request.Offset, length);
        return taken.SequenceEqual(Encoding.UTF8.GetBytes(request.Text));
    }
}
