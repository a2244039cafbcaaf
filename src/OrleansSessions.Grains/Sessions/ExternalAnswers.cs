using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Answers that come from outside: whole, or in pieces with offsets. A piece that was taken before is taken again without effect.</summary>
internal static class ExternalAnswers
{
    /// <param name="question">The question that is answered, or null where there is none.</param>
    /// <param name="isAttended">True while a socket is attached that sees the answer.</param>
    public static AnswerReply Take(Session session, Question? question, AnswerRequest request, bool isAttended, DateTimeOffset now)
    {
        if (question is null)
        {
            return new() { Outcome = request.QuestionId is null ? AnswerOutcome.NoOpenQuestion : AnswerOutcome.NotFound, QuestionId = request.QuestionId };
        }

        var outcome = Take(session, question, request, now);
        return new()
        {
            Outcome = outcome,
            QuestionId = question.Id,
            Offset = question.Bytes,
            IsDelivered = outcome == AnswerOutcome.Taken && isAttended,
            Status = question.IsFinal ? question.Status : null,
        };
    }

    private static AnswerOutcome Take(Session session, Question question, AnswerRequest request, DateTimeOffset now)
    {
        var isRepeat = IsRepeat(question, request);
        if (question.IsFinal)
        {
            return isRepeat && request.IsFinal && question.Status == QuestionStatus.Completed ? AnswerOutcome.Taken : AnswerOutcome.AlreadyDone;
        }

        if (!question.IsAnsweredFromOutside || !ReferenceEquals(question, session.Running))
        {
            return AnswerOutcome.NoOpenQuestion;
        }

        if (!IsForAttempt(question, request))
        {
            return AnswerOutcome.StaleAttempt;
        }

        return request.Offset is { } offset ? TakePiece(session, question, request, offset, isRepeat, now) : TakeWhole(session, question, request, now);
    }

    /// <summary>The whole answer must begin with the text that earlier pieces gave.</summary>
    private static AnswerOutcome TakeWhole(Session session, Question question, AnswerRequest request, DateTimeOffset now)
    {
        var soFar = question.Answer;
        if (!request.Text.StartsWith(soFar, StringComparison.Ordinal))
        {
            return AnswerOutcome.OffsetMismatch;
        }

        session.TryAppend(question, question.Attempt, request.Text[soFar.Length..], now);
        session.TryEnd(question, question.Attempt, EndingOf(request), now);
        return AnswerOutcome.Taken;
    }

    private static AnswerOutcome TakePiece(Session session, Question question, AnswerRequest request, long offset, bool isRepeat, DateTimeOffset now)
    {
        if (offset == question.Bytes)
        {
            session.TryAppend(question, question.Attempt, request.Text, now);
        }
        else if (!isRepeat)
        {
            return AnswerOutcome.OffsetMismatch;
        }

        if (request.IsFinal || request.ErrorCode is not null)
        {
            session.TryEnd(question, question.Attempt, EndingOf(request), now);
        }

        // A piece that made the answer too large was cut, so its sender learns that the question has ended.
        return question.Status == QuestionStatus.Incomplete ? AnswerOutcome.AlreadyDone : AnswerOutcome.Taken;
    }

    private static Ending EndingOf(AnswerRequest request) => request.ErrorCode is { } code
        ? Ending.Failed(DoneReasons.ResponderError, request.ErrorMessage is null ? code : $"{code}: {request.ErrorMessage}")
        : Ending.Completed;

    private static bool IsForAttempt(Question question, AnswerRequest request) => request.Attempt is null || request.Attempt == question.Attempt;

    /// <summary>True if the answer already has exactly this piece at this offset, and where it is the last one, ends with it.</summary>
    private static bool IsRepeat(Question question, AnswerRequest request)
    {
        if (request.Offset is not { } offset || !IsForAttempt(question, request))
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
