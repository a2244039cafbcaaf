using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Http;
using OrleansSessions.SocketGateway.Http.EventStreams;
using OrleansSessions.SocketGateway.Http.StreamedAnswers;

namespace OrleansSessions.SocketGateway;

/// <summary>Puts sessions behind HTTP.</summary>
public static class SessionHttpExtensions
{
    private const string Json = "application/json";
    private const string Problem = "application/problem+json";

    /// <summary>
    /// Maps every endpoint under <c>/v1/sessions</c>. Each of them refuses foreign pages and answers CORS for those of
    /// <see cref="SocketGatewayOptions.AllowedOrigins"/> by itself. They are open to every other caller: add <c>RequireAuthorization()</c> to what is returned.
    /// </summary>
    public static RouteGroupBuilder MapSessionHttp(this IEndpointRouteBuilder endpoints)
    {
        var sessions = endpoints.MapGroup("/v1/sessions").WithTags("Sessions");
        sessions.AddEndpointFilter<RouteGroupBuilder, AccessFilter>();
        var session = sessions.MapGroup("/{id}");
        MapSession(session);
        MapQuestions(session);
        MapAnswers(session);
        sessions.MapUnknownPaths();
        return sessions;
    }

    private static void MapSession(RouteGroupBuilder session)
    {
        session.MapGet("", SessionEndpoints.DescribeAsync)
            .WithName("GetSession").WithSummary("The session as it stands; never creates one.")
            .Produces<SessionBody>().Refuses(400, 403, 404, 500);
        session.MapDelete("", SessionEndpoints.RemoveAsync)
            .WithName("RemoveSession").WithSummary("Ends what is open, forgets the session and closes its sockets. Safe to repeat.")
            .Produces(204).Refuses(400, 403, 500);
        session.MapOtherMethods("", HttpMethods.Get, HttpMethods.Delete);
        session.MapGet("/events", EventStreamEndpoint.HandleAsync)
            .WithName("FollowSession").WithSummary("The session's v1 frames as server-sent events. With a question, the stream ends when that question has ended.")
            .Produces<string>(200, EventStreamHeaders.ContentType).Produces(204).Refuses(400, 403, 404, 429, 500, 503);
        session.MapOtherMethods("/events", HttpMethods.Get);
    }

    private static void MapQuestions(RouteGroupBuilder session)
    {
        session.MapPost("/questions", AskEndpoint.HandleAsync)
            .WithName("AskQuestion")
            .WithSummary("Asks a question. Idempotency-Key is its id; Prefer: wait=N waits for the answer. Accept: text/event-stream streams it.")
            .Accepts<AskBody>(Json).Produces<AcceptedBody>(202).Produces<QuestionBody>().Refuses(400, 403, 409, 413, 415, 422, 429, 500);
        session.MapGet("/questions", SessionEndpoints.ListAsync)
            .WithName("ListQuestions").WithSummary("The last questions and answers, oldest first.")
            .Produces<QuestionListBody>().Refuses(400, 403, 500);
        session.MapOtherMethods("/questions", HttpMethods.Get, HttpMethods.Post);
        session.MapGet("/questions/{qid}", SessionEndpoints.GetQuestionAsync)
            .WithName("GetQuestion").WithSummary("One question, its answer so far, and how it ended.")
            .Produces<QuestionBody>().Refuses(400, 403, 404, 500);
        session.MapOtherMethods("/questions/{qid}", HttpMethods.Get);
        session.MapPost("/questions/{qid}/cancel", SessionEndpoints.CancelAsync)
            .WithName("CancelQuestion").WithSummary("Cancels an open question; an ended one is returned as it ended.")
            .Produces<CancellingBody>(202).Produces<QuestionBody>().Refuses(400, 403, 404, 500);
        session.MapOtherMethods("/questions/{qid}/cancel", HttpMethods.Post);
    }

    private static void MapAnswers(RouteGroupBuilder session)
    {
        session.MapPost("/questions/{qid}/answer", ExternalAnswerEndpoints.AppendAsync)
            .WithName("AppendAnswer")
            .WithSummary("Adds a piece to the answer of a question that waits for one from outside. application/x-ndjson streams the pieces, one a line.")
            .Accepts<AnswerPieceBody>(Json, NdJson.ContentType).Produces<OffsetBody>().Refuses(400, 403, 404, 409, 413, 415, 429, 500, 503);
        session.MapOtherMethods("/questions/{qid}/answer", NdJson.NeitherJsonNorNdJson, HttpMethods.Post);
        session.MapPost("/response", ExternalAnswerEndpoints.RespondAsync)
            .WithName("SendResponse").WithSummary("Answers the open question whole.")
            .Accepts<WholeAnswerBody>(Json).Produces<DeliveredBody>().Refuses(400, 403, 404, 409, 413, 415, 500);
        session.MapOtherMethods("/response", HttpMethods.Post);
    }

    private static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            endpoint.Produces<ProblemBody>(status, Problem);
        }

        return endpoint;
    }
}
