using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary><c>GET /v1/sessions/{id}/events</c>: follows a session, or one question until it ends.</summary>
internal sealed class EventStreamEndpoint(FollowerServices services, StreamPlaces places)
{
    private readonly FollowerServices _services = services;
    private readonly StreamPlaces _places = places;

    public static Task<IResult> HandleAsync(string id, string? question, HttpContext context, SessionHttp http, EventStreamEndpoint streams) =>
        http.RunAsync(context, id, question, async session =>
        {
            // An EventSource that gets another status than 200 never comes back. What else asks is refused below.
            if (http.IsDraining && EventStreamHeaders.AreAccepted(context.Request))
            {
                return new EndedStream(new ReconnectMessage(DepartureReason.Draining.Name, http.Limits.RetryAfterMs));
            }

            try
            {
                return await streams.OpenAsync(id, question, context, http, session);
            }
            catch (Exception fault) when (EventStreamHeaders.LastIdOf(context.Request).Length > 0 && !context.RequestAborted.IsCancellationRequested)
            {
                var error = streams._services.Grains.Report(fault, "The event stream could not be opened", id, question);
                streams._services.Metrics.ErrorTold(error.Error.Code);
                return new EndedStream(error);
            }
        });

    /// <summary>Takes a place for a stream, or returns the reason why there is none.</summary>
    public async ValueTask<(EventStreamPlace? Place, ErrorMessage? Refusal)> ReserveAsync(HttpContext context, SessionHttp http)
    {
        if (http.IsDraining)
        {
            return (null, Refusals.GoingDown(http.Limits.RetryAfterMs));
        }

        if (!_places.TryReserve())
        {
            return (null, Refusals.ConnectionLimit(http.Limits.RetryAfterMs));
        }

        if (await http.Guards.TakePlaceAsync(context) is { } refusal)
        {
            _places.Release();
            return (null, refusal);
        }

        return (new(_places, http.Guards, SessionAccess.Of(context)), null);
    }

    /// <summary>Streams to the response, and releases the place at its end.</summary>
    public IResult Stream(EventStreamPlace place, FollowRequest request, EventStreamScope scope) => new Result(_services, place, request, scope);

    private async Task<IResult> OpenAsync(string id, string? question, HttpContext context, SessionHttp http, ISessionGrain session)
    {
        // 1. Determine the position to resume from.
        var lastEventId = EventStreamHeaders.LastIdOf(context.Request);
        if (lastEventId == EventStreamEnd.RemovedId)
        {
            return TypedResults.NoContent();
        }

        if (EventStreamHeaders.ReadPosition(context.Request, out var resume) is { } refusal)
        {
            return http.Refuse(refusal);
        }

        // 2. If nothing will follow, tell a client that has reconnected to stop. An EventSource stops at status 204.
        var isBack = lastEventId.Length > 0 && resume is { AfterSeq: > 0 };
        if (isBack && await OutlastAsync(context, () => session.DescribeAsync(new())) is null)
        {
            return TypedResults.NoContent();
        }

        QuestionDescription? followed = null;
        if (question is not null)
        {
            followed = await OutlastAsync(context, () => session.GetQuestionAsync(new() { QuestionId = question }));
            if (followed is null)
            {
                return isBack ? TypedResults.NoContent() : http.Refuse(Refusals.QuestionNotFound(question));
            }

            if (followed.End is not null && resume is { } position && position.Epoch == followed.Epoch && position.AfterSeq >= followed.DoneSeq)
            {
                return TypedResults.NoContent();
            }
        }

        // 3. Stream.
        var (place, full) = await ReserveAsync(context, http);
        var scope = new EventStreamScope(question) { Ended = followed?.End is null ? null : followed };
        return place is null ? http.Refuse(full!) : Stream(place, new(SessionAccess.Of(context), id, WireProfile.V1, resume), scope);
    }

    private Task<T> OutlastAsync<T>(HttpContext context, Func<Task<T>> call) =>
        LostSilo.OutlastAsync(call, isWanted: () => !context.RequestAborted.IsCancellationRequested && !_services.Grains.IsEvicted, _services.Clock);

    private sealed class Result(FollowerServices services, EventStreamPlace place, FollowRequest request, EventStreamScope scope)
        : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => StatusCodes.Status200OK;

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            try
            {
                await new EventStream(httpContext, request, services, scope).RunAsync();
            }
            catch (OperationCanceledException) when (httpContext.RequestAborted.IsCancellationRequested)
            {
                // The client left before the stream started.
            }
            finally
            {
                place.Dispose();
            }
        }
    }
}
