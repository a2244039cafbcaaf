using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Adds the CORS headers with which an allowed page of another host can send these requests and read the responses, including errors.</summary>
internal sealed class CrossOriginAnswers(ICorsService cors)
{
    private static readonly CorsPolicy Listed = Common().SetIsOriginAllowed(_ => true).AllowCredentials().Build();

    // If every page is allowed, none may use cookies: the browser must send none, and must not give a page the response to a request that had some.
    private static readonly CorsPolicy Any = Common().AllowAnyOrigin().Build();

    /// <param name="origin">The origin of the request, which must not be foreign.</param>
    public void Apply(HttpContext context, RequestOrigin origin)
    {
        if (origin is RequestOrigin.Listed or RequestOrigin.Any)
        {
            var policy = origin == RequestOrigin.Listed ? Listed : Any;
            cors.ApplyResult(cors.EvaluatePolicy(context, policy), context.Response);
        }

        // Another origin can get another response, so a cache must store them separately.
        if (!context.Response.Headers.Vary.Contains(HeaderNames.Origin))
        {
            context.Response.Headers.Append(HeaderNames.Vary, HeaderNames.Origin);
        }
    }

    private static CorsPolicyBuilder Common() => new CorsPolicyBuilder()
        .WithMethods(HttpMethods.Get, HttpMethods.Post, HttpMethods.Delete)
        .WithHeaders(HeaderNames.ContentType, "Idempotency-Key", "Prefer", HeaderNames.Authorization, "Last-Event-ID")
        .WithExposedHeaders(HeaderNames.Location, HeaderNames.RetryAfter)
        .SetPreflightMaxAge(TimeSpan.FromMinutes(10));
}
