using Microsoft.AspNetCore.Http;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Applies <see cref="AccessPolicy"/> to an HTTP endpoint. As part of the endpoint, it needs no middleware in the host.</summary>
internal sealed class AccessFilter(AccessPolicy policy, CrossOriginAnswers crossOrigin, SocketGatewayMetrics metrics) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var refusal = policy.FindRefusal(context.HttpContext, out var origin);
        crossOrigin.Apply(context.HttpContext, origin);
        if (refusal is null)
        {
            return await next(context);
        }

        metrics.ErrorTold(refusal.Error.Code);
        return Problems.From(refusal);
    }
}
