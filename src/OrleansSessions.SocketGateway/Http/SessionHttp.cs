using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Clustering;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>What all endpoints share: they check ids, turn faults into one error, and count errors.</summary>
internal sealed class SessionHttp(
    SessionGrains grains, GatewayLimits limits, CallerGuards guards, SocketGatewayMetrics metrics, TimeProvider clock, Drain drain)
{
    // Below the shortest time-out of a grain call.
    private static readonly TimeSpan WaitChunk = TimeSpan.FromSeconds(2);

    public SessionGrains Grains => grains;

    public GatewayLimits Limits => limits;

    public CallerGuards Guards => guards;

    public TimeProvider Clock => clock;

    /// <summary>
    /// Cancelled when the drain of this process ends. The web server waits for its requests, so no request may wait for an answer from then on.
    /// </summary>
    public CancellationToken Stopping => drain.Ending;

    /// <summary>True while this process opens no event streams any more, because it stops. Other requests are served until the end.</summary>
    public bool IsDraining => drain.IsDraining;

    /// <summary>Runs an endpoint against its session. An exception becomes a problem document, unless the client is gone.</summary>
    public Task<IResult> RunAsync(HttpContext context, string sessionId, string? questionId, Func<ISessionGrain, Task<IResult>> endpoint) =>
        !Identifiers.IsSessionId(sessionId) ? Task.FromResult(Refuse(Refusals.SessionId("id")))
        : questionId is not null && !Identifiers.IsQuestionId(questionId) ? Task.FromResult(Refuse(Refusals.QuestionId("qid")))
        : RunAsync(context, sessionId, questionId, () => endpoint(grains.Get(SessionAccess.Of(context).KeyOf(sessionId))));

    /// <summary>Runs an endpoint. An exception becomes a problem document, unless the client is gone.</summary>
    /// <param name="name">The session or the scope, for the log.</param>
    public async Task<IResult> RunAsync(HttpContext context, string name, string? questionId, Func<Task<IResult>> endpoint)
    {
        if (grains.IsEvicted)
        {
            return Refuse(Refusals.LeftCluster(questionId, limits.RetryAfterMs));
        }

        try
        {
            return await endpoint();
        }
        catch (BadHttpRequestException fault)
        {
            return Refuse(fault.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? new(WireErrors.MessageTooLarge, "The body exceeds the limit of the web server.", questionId)
                : new(WireErrors.BadRequest, "The body could not be read as HTTP.", questionId));
        }
        catch (Exception fault) when (!IsClientGone(context, fault))
        {
            return Refuse(grains.Report(fault, "The request could not be carried out", name, questionId));
        }
    }

    /// <summary>Waits once for a question's end, at most <see cref="WaitChunk"/>. Callers that wait longer call it again.</summary>
    public static Task<QuestionDescription?> WaitForEndAsync(
        ISessionGrain session, string questionId, TimeSpan patience, CancellationToken cancellationToken) =>
        session.WaitForEndAsync(new() { QuestionId = questionId, Patience = patience < WaitChunk ? patience : WaitChunk }).WaitAsync(cancellationToken);

    /// <summary>True if the fault only means that the client is gone.</summary>
    public static bool IsClientGone(HttpContext context, Exception fault) =>
        fault is ConnectionAbortedException || (fault is OperationCanceledException && context.RequestAborted.IsCancellationRequested);

    /// <summary>Refuses a question that the session did not accept.</summary>
    public IResult RefuseAsk(HttpContext context, AskReply reply)
    {
        metrics.AskRefused(reply);
        return RefuseCaller(context, AskRefusals.Of(reply, limits.RetryAfterMs));
    }

    /// <summary>Refuses a request that can be refused because of its caller or of the caller's limits, which is audited.</summary>
    public IResult RefuseCaller(HttpContext context, ErrorMessage error)
    {
        guards.Audit(context, error);
        return Refuse(error);
    }

    public IResult Refuse(ErrorMessage error, long? expectedOffset = null, QuestionStatus? ended = null)
    {
        metrics.ErrorTold(error.Error.Code);
        return Problems.From(error, expectedOffset, ended);
    }

    public static IResult Json<T>(T body, int status = StatusCodes.Status200OK) => TypedResults.Json(body, HttpJson.Readable, statusCode: status);
}
