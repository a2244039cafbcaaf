using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Reads sessions and questions, cancels questions and removes sessions.</summary>
internal static class SessionEndpoints
{
    public static Task<IResult> DescribeAsync(string id, HttpContext context, SessionHttp http) => http.RunAsync(context, id, null, async session =>
        await session.DescribeAsync(new()) is { } description
            ? SessionHttp.Json(SessionBody.From(id, description))
            : http.Refuse(new(WireErrors.SessionNotFound, "No session has this id.")));

    /// <summary>Returns the same, whether or not there was something to remove.</summary>
    public static Task<IResult> RemoveAsync(string id, HttpContext context, SessionHttp http, AuditLog audit) =>
        http.RunAsync(context, id, null, async session =>
        {
            await session.RemoveAsync(new());
            audit.Removed(context, SessionAccess.Of(context));
            return TypedResults.NoContent();
        });

    public static Task<IResult> ListAsync(string id, string? limit, HttpContext context, SessionHttp http) => http.RunAsync(context, id, null, async session =>
    {
        if (PageLimit.Read(limit, out var count) is { } refusal)
        {
            return http.Refuse(refusal);
        }

        var questions = await session.ListQuestionsAsync(new() { Limit = count });
        return SessionHttp.Json(new QuestionListBody([.. questions.Select(question => QuestionBody.From(question))]));
    });

    public static Task<IResult> GetQuestionAsync(string id, string qid, HttpContext context, SessionHttp http) =>
        http.RunAsync(context, id, qid, async session =>
            await session.GetQuestionAsync(new() { QuestionId = qid }) is { } question
                ? SessionHttp.Json(QuestionBody.From(question))
                : http.Refuse(Refusals.QuestionNotFound(qid)));

    public static Task<IResult> CancelAsync(string id, string qid, HttpContext context, SessionHttp http) => http.RunAsync(context, id, qid, async session =>
    {
        var reply = await session.CancelAsync(new() { QuestionId = qid });
        return reply.Outcome switch
        {
            CancelOutcome.Cancelling => SessionHttp.Json(new CancellingBody(reply.QuestionId ?? qid, "cancelling"), StatusCodes.Status202Accepted),
            CancelOutcome.AlreadyDone when reply.Question is { } ended => SessionHttp.Json(QuestionBody.From(ended)),
            CancelOutcome.AlreadyDone => http.Refuse(Refusals.AlreadyDone(qid)),
            _ => http.Refuse(Refusals.QuestionNotFound(qid)),
        };
    });
}
