using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace OrleansSessions.SocketGateway.Telemetry;

/// <summary>
/// The trace that an ask belongs to, in the form of W3C Trace Context. ASP.NET Core makes an activity for a request only if something is logged or traced.
/// Without one, the trace that the client sent goes on.
/// </summary>
internal static class RequestTrace
{
    private const int TraceParentLength = 55;

    /// <summary>Returns the <c>traceparent</c> of a request that has no activity, or null if it has one, sent none or sent an invalid one.</summary>
    public static string? Received(HttpRequest request) =>
        Activity.Current is not { IdFormat: ActivityIdFormat.W3C } && request.Headers.TraceParent is { Count: 1 } header && IsTraceParent(header[0])
            ? header[0]
            : null;

    /// <summary>Returns the trace that an ask made now belongs to, or null if there is none.</summary>
    /// <param name="received">What <see cref="Received"/> returned for the request.</param>
    public static string? Current(string? received) => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : received;

    // A later version of the standard may be longer. This code would not understand what it adds, so it takes the form of version 00 only.
    private static bool IsTraceParent(string? text) =>
        text is { Length: TraceParentLength } && text.StartsWith("00-", StringComparison.Ordinal) && ActivityContext.TryParse(text, null, out _);
}
