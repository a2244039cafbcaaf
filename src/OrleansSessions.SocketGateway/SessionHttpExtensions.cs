using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Http;
using OrleansSessions.SocketGateway.Http.EventStreams;
using OrleansSessions.SocketGateway.Http.StreamedAnswers;

namespace OrleansSessions.SocketGateway;

/// <summary>Adds the HTTP endpoints of sessions to a host.</summary>
public static class SessionHttpExtensions
{
    private const string Json = "application/json";
    private const string Problem = "application/problem+json";

    /// <summary>
    /// Maps all endpoints under <c>/v1/sessions</c> and <c>/v1/scopes</c>. Each of them refuses foreign pages, and supports CORS for the pages of
    /// <see cref="SocketGatewayOptions.AllowedOrigins"/>. Each serves callers that the host's authentication knows, in the scope of their identity;
    /// <see cref="AuthOptions"/> says who else is served.
    /// </summary>
    public static RouteGroupBuilder MapSessionHttp(this IEndpointRouteBuilder endpoints)
    {
        var all = endpoints.MapGroup("/v1");
        all.AddEndpointFilter<RouteGroupBuilder, AccessFilter>();
        var sessions = all.MapGroup("/sessions").WithTags("Sessions");
        MapList(sessions);
        var session = sessions.MapGroup("/{id}");
        MapSession(session);
        MapQuestions(session);
        MapAnswers(session);
        sessions.MapUnknownPaths();
        MapScopes(all.MapGroup("/scopes").WithTags("Scopes"));
        return all;
    }

    private static void MapList(RouteGroupBuilder sessions)
    {
        sessions.MapGet("", ScopeEndpoints.ListAsync)
            .WithName("ListSessions").WithSummary("Returns the sessions of the caller's scope, those with the latest questions first.")
            .Produces<SessionListBody>().Refuses(400, 401, 403, 404, 429, 500);
        sessions.MapOtherMethods("", HttpMethods.Get);
    }

    private static void MapScopes(RouteGroupBuilder scopes)
    {
        scopes.MapDelete("/{scope}", ScopeEndpoints.EraseAsync)
            .WithName("EraseScope").WithSummary("Removes all sessions of a scope. Safe to repeat.")
            .Produces(204).Refuses(400, 401, 403, 500).Needs(SessionRights.Administer);
        scopes.MapOtherMethods("/{scope}", HttpMethods.Delete);
        scopes.MapUnknownPaths();
    }

    private static void MapSession(RouteGroupBuilder session)
    {
        session.MapGet("", SessionEndpoints.DescribeAsync)
            .WithName("GetSession").WithSummary("Returns the current state of the session. Never creates one.")
            .Produces<SessionBody>().Refuses(400, 401, 403, 404, 429, 500);
        session.MapDelete("", SessionEndpoints.RemoveAsync)
            .WithName("RemoveSession").WithSummary("Ends the open questions, removes the session and closes its sockets. Safe to repeat.")
            .Produces(204).Refuses(400, 401, 403, 429, 500).Needs(SessionRights.Remove);
        session.MapOtherMethods("", HttpMethods.Get, HttpMethods.Delete);
        session.MapGet("/events", EventStreamEndpoint.HandleAsync)
            .WithName("FollowSession").WithSummary("Streams the session's v1 frames as server-sent events. With a question, the stream ends when it has ended.")
            .Produces<string>(200, EventStreamHeaders.ContentType).Produces(204).Refuses(400, 401, 403, 404, 429, 500, 503);
        session.MapOtherMethods("/events", HttpMethods.Get);
    }

    private static void MapQuestions(RouteGroupBuilder session)
    {
        session.MapPost("/questions", AskEndpoint.HandleAsync)
            .WithName("AskQuestion")
            .WithSummary("Asks a question. Idempotency-Key is its id, Prefer: wait=N waits for the answer, Accept: text/event-stream streams it.")
            .Accepts<AskBody>(Json).Produces<AcceptedBody>(202).Produces<QuestionBody>()
            .Refuses(400, 401, 403, 409, 413, 415, 422, 429, 500).Needs(SessionRights.Ask);
        session.MapGet("/questions", SessionEndpoints.ListAsync)
            .WithName("ListQuestions").WithSummary("Returns the last questions and answers, oldest first.")
            .Produces<QuestionListBody>().Refuses(400, 401, 403, 429, 500);
        session.MapOtherMethods("/questions", HttpMethods.Get, HttpMethods.Post);
        session.MapGet("/questions/{qid}", SessionEndpoints.GetQuestionAsync)
            .WithName("GetQuestion").WithSummary("Returns a question, its answer so far, and how it ended.")
            .Produces<QuestionBody>().Refuses(400, 401, 403, 404, 429, 500);
        session.MapOtherMethods("/questions/{qid}", HttpMethods.Get);
        session.MapPost("/questions/{qid}/cancel", SessionEndpoints.CancelAsync)
            .WithName("CancelQuestion").WithSummary("Cancels an open question. If it has ended, returns how it ended.")
            .Produces<CancellingBody>(202).Produces<QuestionBody>().Refuses(400, 401, 403, 404, 429, 500).Needs(SessionRights.Ask);
        session.MapOtherMethods("/questions/{qid}/cancel", HttpMethods.Post);
    }

    private static void MapAnswers(RouteGroupBuilder session)
    {
        session.MapPost("/questions/{qid}/answer", ExternalAnswerEndpoints.AppendAsync)
            .WithName("AppendAnswer")
            .WithSummary("Adds a piece to the answer of a question that is answered from outside. application/x-ndjson streams the pieces, one a line.")
            .Accepts<AnswerPieceBody>(Json, NdJson.ContentType).Produces<OffsetBody>()
            .Refuses(400, 401, 403, 404, 409, 413, 415, 429, 500, 503).Needs(SessionRights.Answer);
        session.MapOtherMethods("/questions/{qid}/answer", NdJson.NeitherJsonNorNdJson, HttpMethods.Post);
        session.MapPost("/response", ExternalAnswerEndpoints.RespondAsync)
            .WithName("SendResponse").WithSummary("Answers the running question as a whole.")
            .Accepts<WholeAnswerBody>(Json).Produces<DeliveredBody>().Refuses(400, 401, 403, 404, 409, 413, 415, 429, 500).Needs(SessionRights.Answer);
        session.MapOtherMethods("/response", HttpMethods.Post);
    }

    private static void Needs(this RouteHandlerBuilder endpoint, SessionRights right) => endpoint.WithMetadata(new NeedsRight(right));

    private static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            endpoint.Produces<ProblemBody>(status, Problem);
        }

        return endpoint;
    }
}
