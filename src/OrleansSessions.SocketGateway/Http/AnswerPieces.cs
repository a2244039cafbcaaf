using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>An answer from outside on its way to the session and back. The same for a piece, a line and a whole answer.</summary>
internal static class AnswerPieces
{
    public static AnswerRequest ToRequest(this AnswerPieceMessage piece, string questionId) => new()
    {
        QuestionId = questionId,
        Attempt = piece.Attempt,
        Offset = piece.Offset,
        Text = piece.Text,
        IsFinal = piece.IsFinal,
        ErrorCode = piece.ErrorCode,
        ErrorMessage = piece.ErrorMessage,
    };

    /// <summary>The problem document for an answer that the session did not take.</summary>
    /// <param name="questionId">The question that the reply is about, if any.</param>
    public static IResult Refuse(this SessionHttp http, AnswerReply reply, string? questionId) => reply.Outcome switch
    {
        AnswerOutcome.NoOpenQuestion => http.Refuse(new(WireErrors.NoOpenQuestion, "No question waits for an answer from outside.", questionId)),
        AnswerOutcome.NotFound => http.Refuse(Refusals.QuestionNotFound(questionId)),
        AnswerOutcome.AlreadyDone => http.Refuse(Refusals.AlreadyDone(questionId), ended: reply.Status),
        AnswerOutcome.StaleAttempt => http.Refuse(new(WireErrors.StaleAttempt, "A newer attempt answers this question.", questionId)),
        AnswerOutcome.OffsetMismatch => http.Refuse(
            new(WireErrors.OffsetMismatch, "The piece does not begin where the answer ends.", questionId), expectedOffset: reply.Offset),
        _ => http.Refuse(Refusals.UnknownOutcome(questionId, http.Limits.RetryAfterMs)),
    };
}
