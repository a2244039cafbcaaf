using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>The request and response headers of event streams.</summary>
internal static class EventStreamHeaders
{
    public const string ContentType = "text/event-stream";
    public const string LastEventId = "Last-Event-ID";

    /// <summary>The id of the last event that the client has received; empty on its first request.</summary>
    public static string LastIdOf(HttpRequest request) => request.Headers[LastEventId].ToString();

    /// <summary>True if the client accepts event streams.</summary>
    public static bool AreAccepted(HttpRequest request) =>
        request.GetTypedHeaders().Accept.Any(type => type.MediaType.Equals(ContentType, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads the position to resume from. <c>Last-Event-ID</c> wins over the URL, because an <c>EventSource</c> repeats its URL.</summary>
    /// <returns>The refusal, or null.</returns>
    public static ErrorMessage? ReadPosition(HttpRequest request, out (long Epoch, long AfterSeq)? position)
    {
        if (LastIdOf(request) is not { Length: > 0 } id)
        {
            return FollowRequest.ReadPosition(request.Query, out position);
        }

        position = null;
        var dot = id.LastIndexOf('.');
        if (dot < 0 || !FollowRequest.TryReadSeq(id.AsSpan(dot + 1), out var seq))
        {
            return new(WireErrors.BadRequest, "'Last-Event-ID' must be the id of an event of this stream: an epoch, a dot and a number.", Param: LastEventId);
        }

        position = (Epochs.FromWire(id.AsSpan(0, dot)), seq);
        return null;
    }

    public static void Set(HttpContext context)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var headers = context.Response.Headers;
        headers.ContentType = ContentType;
        headers.CacheControl = "no-cache";

        // Without it, nginx and similar proxies hold events back until a buffer is full.
        headers["X-Accel-Buffering"] = "no";
    }
}
