using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>What all endpoints have in common: ids that are checked, faults that become one error, and errors that are counted.</summary>
internal sealed class SessionHttp(
    IGrainFactory grains, IOptions<SocketGatewayOptions> options, IOptions<SessionsOptions> sessions, SocketGatewayMetrics metrics,
    ClusterEviction eviction, TimeProvider clock, IHostApplicationLifetime lifetime, GrainFaults faults)
{
    public SocketGatewayOptions Options { get; } = options.Value;

    public SessionsOptions Sessions { get; } = sessions.Value;

    public TimeProvider Clock => clock;

    /// <summary>Cancelled when the process begins to stop: the web server waits for its requests, so none may wait for an answer from then on.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    public GrainFaults Faults => faults;

    public long RetryAfterMs => (long)Options.RetryAfter.TotalMilliseconds;

    /// <summary>Runs one endpoint against its session. Whatever it throws becomes a problem document, unless nobody is left to read one.</summary>
    public async Task<IResult> RunAsync(HttpContext context, string sessionId, string? questionId, Func<ISessionGrain, Task<IResult>> endpoint)
    {
        if (!Identifiers.IsSessionId(sessionId))
        {
            return Refuse(new(WireErrors.BadRequest, "A session id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ : @ - and not '.' or '..'.", Param: "id"));
        }

        if (questionId is not null && !Identifiers.IsQuestionId(questionId))
        {
            return Refuse(new(WireErrors.BadRequest, "A question id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ : @ - and not '.' or '..'.", Param: "qid"));
        }

        if (eviction.IsEvicted)
        {
            return Refuse(new(WireErrors.Draining, "This node has left its cluster.", questionId, RetryAfterMs: RetryAfterMs));
        }

        try
        {
            return await endpoint(grains.GetGrain<ISessionGrain>(SessionKey.Of(SessionScope.Anonymous, sessionId)));
        }
        catch (BadHttpRequestException fault)
        {
            return Refuse(fault.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? new(WireErrors.MessageTooLarge, "The body is larger than the web server takes.", questionId)
                : new(WireErrors.BadRequest, "The body could not be read as HTTP.", questionId));
        }
        catch (Exception fault) when (!IsClientGone(context, fault))
        {
            return Refuse(Faults.Report(fault, "The request could not be carried out", sessionId, questionId));
        }
    }

    /// <summary>True where the fault says no more than that the client is gone.</summary>
    public static bool IsClientGone(HttpContext context, Exception fault) =>
        fault is ConnectionAbortedException || (fault is OperationCanceledException && context.RequestAborted.IsCancellationRequested);

    public IResult Refuse(ErrorMessage error, long? expectedOffset = null, QuestionStatus? ended = null)
    {
        metrics.ErrorTold(error.Error.Code);
        return Problems.From(error, expectedOffset, ended);
    }

    public IResult RefuseBody(MessageRefusal refusal) => Refuse(new ErrorMessage(refusal.Error, refusal.Message, refusal.QuestionId, refusal.Param));

    public IResult QuestionNotFound(string? questionId) => Refuse(new(WireErrors.QuestionNotFound, "No question has that id.", questionId));

    public static IResult Json<T>(T body, int status = StatusCodes.Status200OK) => TypedResults.Json(body, HttpJson.Readable, statusCode: status);
}
