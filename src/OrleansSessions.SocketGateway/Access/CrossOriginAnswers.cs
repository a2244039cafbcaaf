using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>The CORS headers that let an allowed page of another host send these requests and read their answers, errors too.</summary>
internal sealed class CrossOriginAnswers(ICorsService cors)
{
    private static readonly CorsPolicy Listed = Common().SetIsOriginAllowed(_ => true).AllowCredentials().Build();

    // Cookies are not for every page there is, so a browser is told to send none and to show no answer to a request that had some.
    private static readonly CorsPolicy Any = Common().AllowAnyOrigin().Build();

    /// <param name="origin">As judged, and not foreign.</param>
    public void Apply(HttpContext context, RequestOrigin origin)
    {
        if (origin is RequestOrigin.Listed or RequestOrigin.Any)
        {
            var policy = origin == RequestOrigin.Listed ? Listed : Any;
            cors.ApplyResult(cors.EvaluatePolicy(context, policy), context.Response);
        }

        // Whatever the origin is, another one could get another answer; a cache must not mix them up.
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
