using System.Globalization;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Http.EventStreams;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Http;

/// <summary><c>POST /v1/sessions/{id}/questions</c>: asks a question, and waits for the answer if the client prefers that.</summary>
internal static class AskEndpoint
{
    public static Task<IResult> HandleAsync(string id, HttpContext context, SessionHttp http, EventStreamEndpoint streams) =>
        http.RunAsync(context, id, null, session => HandleAsync(id, context, http, session, streams));

    private static async Task<IResult> HandleAsync(string id, HttpContext context, SessionHttp http, ISessionGrain session, EventStreamEndpoint streams)
    {
        // 1. Parse the request as strictly as a frame.
        var (question, refusal) = await ReadAsync(context.Request, http);
        if (question is null)
        {
            return http.Refuse(refusal!);
        }

        // 2. Look at the limits of the caller, and of this process if the answer is to be streamed. What is refused here was not asked.
        question = question with { Id = question.Id ?? Identifiers.NewQuestionId() };
        if (await http.Guards.Asks.TakeAsync(SessionAccess.Of(context).Scope, question.Id) is { } limited)
        {
            return http.RefuseCaller(context, limited);
        }

        if (!EventStreamHeaders.AreAccepted(context.Request))
        {
            return await AskAsync(id, context, http, session, question, reply => AnswerAsync(id, context, http, session, reply));
        }

        var (place, full) = await streams.ReserveAsync(context, http);
        if (place is null)
        {
            return http.Refuse(full! with { QuestionId = question.Id });
        }

        IResult? stream = null;
        try
        {
            return await AskAsync(
                id, context, http, session, question, reply => Task.FromResult(stream = Stream(id, context, streams, place, question, reply)));
        }
        finally
        {
            if (stream is null)
            {
                place.Dispose();
            }
        }
    }

    /// <summary>Asks. The caller does not follow the session: it reads the answer by the question's id.</summary>
    /// <param name="onAsked">Returns the result for a question that was accepted, now or before.</param>
    private static async Task<IResult> AskAsync(
        string id, HttpContext context, SessionHttp http, ISessionGrain session, QuestionMessage question, Func<AskReply, Task<IResult>> onAsked)
    {
        AskReply reply;
        try
        {
            reply = await session.AskAsync(new()
            {
                QuestionId = question.Id,
                Question = question.Question,
                IfBusy = question.IfBusy,
                MetadataJson = question.MetadataJson,
                OptionsJson = question.OptionsJson,
                Caller = SessionAccess.Of(context).ToCaller(RequestTrace.Current(RequestTrace.Received(context.Request))),
            });
        }
        catch (Exception fault) when (!SessionHttp.IsClientGone(context, fault))
        {
            // A client that asks again with this id learns whether the question was accepted.
            return http.Refuse(http.Grains.Report(fault, "The question could not be asked", id, question.Id));
        }

        return reply.Outcome is AskOutcome.Accepted or AskOutcome.Duplicate ? await onAsked(reply) : http.RefuseAsk(context, reply);
    }

    private static async Task<(QuestionMessage? Question, ErrorMessage? Refusal)> ReadAsync(HttpRequest request, SessionHttp http)
    {
        var (utf8, refusal) = await RequestBody.ReadAsync(request, http.Limits.Gateway.MaxMessageBytes);
        if (utf8 is null)
        {
            return (null, refusal);
        }

        var parsed = ClientMessageParser.Parse(utf8, WireProfile.V1, http.Limits.Sessions.MaxQuestionBytes);
        if (parsed.Refusal is not null)
        {
            return (null, parsed.Refusal);
        }

        return parsed.Message is QuestionMessage question
            ? WithIdempotencyKey(question, request.Headers["Idempotency-Key"].ToString())
            : (null, new(WireErrors.UnknownType, "This address accepts only questions.", Param: "type"));
    }

    private static (QuestionMessage? Question, ErrorMessage? Refusal) WithIdempotencyKey(QuestionMessage question, string key)
    {
        if (key.Length == 0)
        {
            return (question, null);
        }

        // The header's specification defines it as a quoted string.
        var id = key.Length > 2 && key[0] == '"' && key[^1] == '"' ? key[1..^1] : key;
        if (!Identifiers.IsQuestionId(id))
        {
            return (null, new(WireErrors.BadRequest, "The Idempotency-Key is not a valid question id.", question.Id, "Idempotency-Key"));
        }

        return question.Id is null || question.Id == id
            ? (question with { Id = id }, null)
            : (null, new(WireErrors.BadRequest, "The Idempotency-Key and the 'id' in the body are different.", question.Id, "Idempotency-Key"));
    }

    /// <summary>
    /// Streams the answer from its <c>accepted</c> event. The stream attaches after the ask, so that a refusal is an ordinary problem document.
    /// </summary>
    private static IResult Stream(
        string id, HttpContext context, EventStreamEndpoint streams, EventStreamPlace place, QuestionMessage question, AskReply reply)
    {
        SetLocation(id, context, reply);
        var scope = new EventStreamScope(reply.QuestionId)
        {
            Ended = reply.Earlier?.End is null ? null : reply.Earlier,
            Asked = (reply.QuestionId, question.Question),
        };
        return streams.Stream(place, new(SessionAccess.Of(context), id, WireProfile.V1, (reply.Epoch, reply.Seq - 1)), scope);
    }

    /// <summary>In another scope, the address names the scope too: without it, it would be that of another question.</summary>
    private static void SetLocation(string id, HttpContext context, AskReply reply)
    {
        var access = SessionAccess.Of(context);
        var scope = access.IsForeign ? $"?{CallerPolicy.ScopeParameter}={access.Scope}" : "";
        context.Response.Headers.Location = $"/v1/sessions/{id}/questions/{reply.QuestionId}{scope}";
    }

    private static async Task<IResult> AnswerAsync(string id, HttpContext context, SessionHttp http, ISessionGrain session, AskReply reply)
    {
        SetLocation(id, context, reply);
        var question = reply.Earlier;
        if (question?.End is null && Preferred(context.Request, http) is { } wait)
        {
            context.Response.Headers["Preference-Applied"] = string.Create(CultureInfo.InvariantCulture, $"wait={(int)wait.TotalSeconds}");
            question = await WaitAsync(id, context, http, session, reply.QuestionId, wait) ?? question;
        }

        if (question is not null && (question.End is not null || reply.Outcome == AskOutcome.Duplicate))
        {
            return SessionHttp.Json(QuestionBody.From(question));
        }

        var state = (question?.Status ?? (reply.Position > 0 ? QuestionStatus.Queued : QuestionStatus.Accepted)).ToWire();
        return SessionHttp.Json(
            new AcceptedBody(reply.QuestionId, state, reply.Position, Epochs.ToWire(reply.Epoch), reply.Seq), StatusCodes.Status202Accepted);
    }

    /// <summary>
    /// The wait in <c>Prefer: wait=N</c>, reduced to the limit; null if it is missing or invalid, because the standard says to ignore invalid preferences.
    /// </summary>
    private static TimeSpan? Preferred(HttpRequest request, SessionHttp http)
    {
        foreach (var preference in request.Headers["Prefer"].SelectMany(header => (header ?? "").Split(',')))
        {
            var parts = preference.Split(';')[0].Split('=', 2, StringSplitOptions.TrimEntries);
            var isWait = parts.Length == 2 && parts[0].Equals("wait", StringComparison.OrdinalIgnoreCase);
            if (isWait && int.TryParse(parts[1].Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                var wait = TimeSpan.FromSeconds(seconds);
                return wait < http.Limits.Gateway.MaxWait ? wait : http.Limits.Gateway.MaxWait;
            }
        }

        return null;
    }

    /// <summary>
    /// Waits for the end and returns the question as it is then, or when the time is over.
    /// A fault only ends the wait: the question was accepted, and the client gets its id.
    /// </summary>
    private static async Task<QuestionDescription?> WaitAsync(
        string id, HttpContext context, SessionHttp http, ISessionGrain session, string questionId, TimeSpan wait)
    {
        QuestionDescription? question = null;
        var startedAt = http.Clock.GetTimestamp();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, http.Stopping);
        try
        {
            for (var left = wait; left > TimeSpan.Zero; left = wait - http.Clock.GetElapsedTime(startedAt))
            {
                question = await SessionHttp.WaitForEndAsync(session, questionId, left, leaving.Token);
                if (question is null or { End: not null })
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
        }
        catch (Exception fault)
        {
            http.Grains.Report(fault, "The wait for the answer failed", id, questionId);
        }

        return question;
    }
}
