using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Applies the access policies to an HTTP endpoint. As part of the endpoint, it needs no middleware in the host.</summary>
internal sealed class AccessFilter(Gatekeeper gatekeeper, CallerGuards guards, CrossOriginAnswers crossOrigin, SocketGatewayMetrics metrics) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        var refusal = gatekeeper.FindRefusal(http, out var origin);

        // A refusal gets the CORS headers, too, so that an allowed page can read it.
        crossOrigin.Apply(http, origin);
        refusal ??= await AdmitAsync(http);
        if (refusal is null)
        {
            return await next(context);
        }

        metrics.ErrorTold(refusal.Error.Code);
        return Problems.From(refusal);
    }

    private async ValueTask<ErrorMessage?> AdmitAsync(HttpContext context)
    {
        // A host's AllowAnonymous() only means that its own authorization lets the request through.
        var metadata = context.GetEndpoint()?.Metadata;
        return metadata?.GetMetadata<Preflight>() is not null
            ? null
            : await gatekeeper.AdmitAsync(context, metadata?.GetMetadata<NeedsRight>()?.Right ?? SessionRights.Follow) ?? guards.CountRequest(context);
    }
}
