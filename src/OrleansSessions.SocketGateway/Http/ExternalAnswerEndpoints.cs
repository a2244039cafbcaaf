using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Answering from outside: in pieces, or whole as the Python manager's <c>send_response</c> did.</summary>
internal static class ExternalAnswerEndpoints
{
    public static Task<IResult> AppendAsync(string id, string qid, HttpContext context, SessionHttp http) => http.RunAsync(context, id, qid, async session =>
    {
        var (utf8, refusal) = await RequestBody.ReadAsync(context.Request, http.Limits.Gateway.MaxAnswerBodyBytes);
        if (utf8 is null)
        {
            return http.Refuse(refusal! with { QuestionId = qid });
        }

        var (piece, fault) = ExternalAnswerParser.ParsePiece(utf8);
        if (piece is null)
        {
            return http.Refuse(fault! with { QuestionId = qid });
        }

        var reply = await session.AnswerAsync(new()
        {
            QuestionId = qid,
            Attempt = piece.Attempt,
            Offset = piece.Offset,
            Text = piece.Text,
            IsFinal = piece.IsFinal,
            ErrorCode = piece.ErrorCode,
            ErrorMessage = piece.ErrorMessage,
        });
        return reply.Outcome == AnswerOutcome.Taken
            ? SessionHttp.Json(new OffsetBody(reply.Offset))
            : Refuse(http, reply.Outcome, qid, reply.Offset, reply.Status);
    });

    public static Task<IResult> RespondAsync(string id, HttpContext context, SessionHttp http) => http.RunAsync(context, id, null, async session =>
    {
        var (utf8, refusal) = await RequestBody.ReadAsync(context.Request, http.Limits.Gateway.MaxAnswerBodyBytes);
        if (utf8 is null)
        {
            return http.Refuse(refusal!);
        }

        var (answer, fault) = ExternalAnswerParser.ParseWhole(utf8);
        if (answer is null)
        {
            return http.Refuse(fault!);
        }

        var reply = await session.AnswerAsync(new() { QuestionId = answer.QuestionId, Text = answer.Response });
        return reply.Outcome == AnswerOutcome.Taken
            ? SessionHttp.Json(new DeliveredBody(reply.QuestionId, reply.IsDelivered))
            : Refuse(http, reply.Outcome, reply.QuestionId ?? answer.QuestionId, null, reply.Status);
    });

    private static IResult Refuse(SessionHttp http, AnswerOutcome outcome, string? questionId, long? offset, QuestionStatus? ended) => outcome switch
    {
        AnswerOutcome.NoOpenQuestion => http.Refuse(new(WireErrors.NoOpenQuestion, "No question waits for an answer from outside.", questionId)),
        AnswerOutcome.NotFound => http.Refuse(Refusals.QuestionNotFound(questionId)),
        AnswerOutcome.AlreadyDone => http.Refuse(Refusals.AlreadyDone(questionId), ended: ended),
        AnswerOutcome.StaleAttempt => http.Refuse(new(WireErrors.StaleAttempt, "A newer attempt answers this question.", questionId)),
        AnswerOutcome.OffsetMismatch => http.Refuse(
            new(WireErrors.OffsetMismatch, "The piece does not begin where the answer ends.", questionId), expectedOffset: offset),
        _ => http.Refuse(Refusals.UnknownOutcome(questionId, http.Limits.RetryAfterMs)),
    };
}
