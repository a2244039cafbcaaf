using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansSessions.SocketGateway.Http;

namespace OrleansSessions.SocketGateway;

/// <summary>Puts sessions behind HTTP.</summary>
public static class SessionHttpExtensions
{
    private const string Json = "application/json";
    private const string Problem = "application/problem+json";

    /// <summary>Maps every endpoint under <c>/v1/sessions/{id}</c>.</summary>
    public static RouteGroupBuilder MapSessionHttp(this IEndpointRouteBuilder endpoints)
    {
        var session = endpoints.MapGroup("/v1/sessions/{id}").WithTags("Sessions");
        MapSession(session);
        MapQuestions(session);
        MapAnswers(session);
        return session;
    }

    private static void MapSession(RouteGroupBuilder session)
    {
        session.MapGet("", SessionEndpoints.DescribeAsync)
            .WithName("GetSession").WithSummary("The session as it stands; never creates one.")
            .Produces<SessionBody>().Refuses(400, 404, 500);
        session.MapDelete("", SessionEndpoints.RemoveAsync)
            .WithName("RemoveSession").WithSummary("Ends what is open, forgets the session and closes its sockets. Safe to repeat.")
            .Produces(204).Refuses(400, 500);
    }

    private static void MapQuestions(RouteGroupBuilder session)
    {
        session.MapPost("/questions", AskEndpoint.HandleAsync)
            .WithName("AskQuestion")
            .WithSummary("Asks a question. Idempotency-Key is its id; Prefer: wait=N waits for the answer.")
            .Accepts<AskBody>(Json).Produces<AcceptedBody>(202).Produces<QuestionBody>().Refuses(400, 409, 413, 422, 429, 500);
        session.MapGet("/questions", SessionEndpoints.ListAsync)
            .WithName("ListQuestions").WithSummary("The last questions and answers, oldest first.")
            .Produces<QuestionListBody>().Refuses(400, 500);
        session.MapGet("/questions/{qid}", SessionEndpoints.GetQuestionAsync)
            .WithName("GetQuestion").WithSummary("One question, its answer so far, and how it ended.")
            .Produces<QuestionBody>().Refuses(400, 404, 500);
        session.MapPost("/questions/{qid}/cancel", SessionEndpoints.CancelAsync)
            .WithName("CancelQuestion").WithSummary("Cancels an open question; an ended one is returned as it ended.")
            .Produces<CancellingBody>(202).Produces<QuestionBody>().Refuses(400, 404, 500);
    }

    private static void MapAnswers(RouteGroupBuilder session)
    {
        session.MapPost("/questions/{qid}/answer", AnswerEndpoints.AppendAsync)
            .WithName("AppendAnswer").WithSummary("Adds a piece to the answer of a question that waits for one from outside.")
            .Accepts<AnswerPieceBody>(Json).Produces<OffsetBody>().Refuses(400, 404, 409, 413, 500);
        session.MapPost("/response", AnswerEndpoints.RespondAsync)
            .WithName("SendResponse").WithSummary("Answers the open question whole.")
            .Accepts<WholeAnswerBody>(Json).Produces<DeliveredBody>().Refuses(400, 404, 409, 413, 500);
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
