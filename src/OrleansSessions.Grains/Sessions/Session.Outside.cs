using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

// Answers that come from outside: whole, or in pieces with offsets.
internal sealed partial class Session
{
    /// <summary>Takes an answer from outside, or one piece of it. A piece that was taken before is taken again without effect.</summary>
    /// <param name="isAttended">True while a socket is attached that sees the answer.</param>
    public AnswerReply Answer(AnswerRequest request, bool isAttended, DateTimeOffset now)
    {
        var question = request.QuestionId is { } id ? Find(id) : Running;
        if (question is null)
        {
            return new() { Outcome = request.QuestionId is null ? AnswerOutcome.NoOpenQuestion : AnswerOutcome.NotFound, QuestionId = request.QuestionId };
        }

        var outcome = Take(question, request, now);
        return new()
        {
            Outcome = outcome,
            QuestionId = question.Id,
            Offset = question.Bytes,
            IsDelivered = outcome == AnswerOutcome.Taken && isAttended,
            Status = question.IsFinal ? question.Status : null,
        };
    }

    private AnswerOutcome Take(Question question, AnswerRequest request, DateTimeOffset now)
    {
        var isRepeat = IsRepeat(question, request);
        if (question.IsFinal)
        {
            return isRepeat && request.IsFinal && question.Status == QuestionStatus.Completed ? AnswerOutcome.Taken : AnswerOutcome.AlreadyDone;
        }

        if (!question.IsAnsweredFromOutside || !ReferenceEquals(question, Running))
        {
            return AnswerOutcome.NoOpenQuestion;
        }

        if (!IsAttemptOf(question, request))
        {
            return AnswerOutcome.StaleAttempt;
        }

        return request.Offset is { } offset ? TakePiece(question, request, offset, isRepeat, now) : TakeWhole(question, request, now);
    }

    /// <summary>Text that earlier pieces gave must be how the whole answer begins.</summary>
    private AnswerOutcome TakeWhole(Question question, AnswerRequest request, DateTimeOffset now)
    {
        var soFar = question.Answer;
        if (!request.Text.StartsWith(soFar, StringComparison.Ordinal))
        {
            return AnswerOutcome.OffsetMismatch;
        }

        TryAppend(question, question.Attempt, request.Text[soFar.Length..], now);
        EndFromOutside(question, request, now);
        return AnswerOutcome.Taken;
    }

    private AnswerOutcome TakePiece(Question question, AnswerRequest request, long offset, bool isRepeat, DateTimeOffset now)
    {
        if (offset == question.Bytes)
        {
            TryAppend(question, question.Attempt, request.Text, now);
        }
        else if (!isRepeat)
        {
            return AnswerOutcome.OffsetMismatch;
        }

        if (request.IsFinal || request.ErrorCode is not null)
        {
            EndFromOutside(question, request, now);
        }

        // A piece that made the answer too large was cut, so its sender learns that the question has ended.
        return question.Status == QuestionStatus.Incomplete ? AnswerOutcome.AlreadyDone : AnswerOutcome.Taken;
    }

    private void EndFromOutside(Question question, AnswerRequest request, DateTimeOffset now)
    {
        if (request.ErrorCode is { } code)
        {
            var message = request.ErrorMessage is null ? code : $"{code}: {request.ErrorMessage}";
            TryEnd(question, question.Attempt, QuestionStatus.Failed, DoneReasons.ResponderError, message, true, now);
        }
        else
        {
            TryEnd(question, question.Attempt, QuestionStatus.Completed, null, null, false, now);
        }
    }

    private static bool IsAttemptOf(Question question, AnswerRequest request) => request.Attempt is null || request.Attempt == question.Attempt;

    /// <summary>True if the answer already ends with, or goes past, exactly this piece at this offset.</summary>
    private static bool IsRepeat(Question question, AnswerRequest request)
    {
        if (request.Offset is not { } offset || !IsAttemptOf(question, request))
        {
            return false;
        }

        var length = Encoding.UTF8.GetByteCount(request.Text);
        if (offset < 0 || offset > question.Bytes - length || (request.IsFinal && offset != question.Bytes - length))
        {
            return false;
        }

        var taken = Encoding.UTF8.GetBytes(question.Answer).AsSpan((int)offset, length);
        return taken.SequenceEqual(Encoding.UTF8.GetBytes(request.Text));
    }
}
