using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Http.StreamedAnswers;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Answering from outside: in pieces, each by a request or all by one, or whole as the Python manager's <c>send_response</c> did.</summary>
internal static class ExternalAnswerEndpoints
{
    public static Task<IResult> AppendAsync(string id, string qid, HttpContext context, SessionHttp http, StreamPlaces places) =>
        http.RunAsync(context, id, qid, session => NdJson.IsBodyOf(context.Request)
            ? StreamAsync(id, qid, context, http, places, session)
            : AppendPieceAsync(qid, context, http, session));

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
            : http.Refuse(reply, reply.QuestionId ?? answer.QuestionId);
    });

    private static async Task<IResult> AppendPieceAsync(string questionId, HttpContext context, SessionHttp http, ISessionGrain session)
    {
        var (utf8, refusal) = await RequestBody.ReadAsync(context.Request, http.Limits.Gateway.MaxAnswerBodyBytes);
        if (utf8 is null)
        {
            // This address takes a second type, which the usual refusal does not name.
            var said = refusal!.Error == WireErrors.UnsupportedMediaType ? NdJson.NeitherJsonNorNdJson : refusal;
            return http.Refuse(said with { QuestionId = questionId });
        }

        var (piece, fault) = ExternalAnswerParser.ParsePiece(utf8);
        if (piece is null)
        {
            return http.Refuse(fault! with { QuestionId = questionId });
        }

        var reply = await session.AnswerAsync(piece.ToRequest(questionId));
        return reply.Outcome == AnswerOutcome.Taken ? SessionHttp.Json(new OffsetBody(reply.Offset)) : http.Refuse(reply, questionId);
    }

    private static async Task<IResult> StreamAsync(
        string sessionId, string questionId, HttpContext context, SessionHttp http, StreamPlaces places, ISessionGrain session)
    {
        if (!places.TryReserve())
        {
            return http.Refuse(Refusals.ConnectionLimit(http.Limits.RetryAfterMs) with { QuestionId = questionId });
        }

        try
        {
            return await new StreamedAnswer(context, http, session, sessionId, questionId).RunAsync();
        }
        finally
        {
            places.Release();
        }
    }
}
