using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Decides who may use this server. The same policy applies to sockets and HTTP, before anything else in a request is read.</summary>
internal sealed class AccessPolicy(HostPolicy hosts, IOptions<SocketGatewayOptions> options, AccessLog log)
{
    private const string OriginsKey = "SocketGateway:AllowedOrigins";

    /// <returns>The reason why the request is refused, or null if it is allowed.</returns>
    public ErrorMessage? FindRefusal(HttpContext context, out RequestOrigin origin)
    {
        origin = RequestOrigin.Foreign;
        if (FindHostRefusal(context) is { } refusal)
        {
            return refusal;
        }

        origin = OriginPolicy.Judge(context.Request, options.Value.AllowedOrigins);
        return origin == RequestOrigin.Foreign ? RefuseOrigin(context.Request) : null;
    }

    /// <summary>The part that applies to everything that the server serves. Requests for pages and metrics have no <c>Origin</c> to check.</summary>
    public ErrorMessage? FindHostRefusal(HttpContext context)
    {
        if (hosts.IsKnown(context))
        {
            return null;
        }

        var host = PrintableText.Of(context.Request.Host.Value);
        log.HostRefused(host);
        return new(
            WireErrors.Forbidden,
            $"This server listens only on loopback and is not known as {host}. To allow this name, add it to {HostPolicy.AllowedHostsKey}.");
    }

    private ErrorMessage RefuseOrigin(HttpRequest request)
    {
        var (origin, host) = (PrintableText.Of(request.Headers.Origin.ToString()), PrintableText.Of(request.Host.Value));
        log.OriginRefused(origin, host);
        return new(
            WireErrors.Forbidden,
            $"Pages of the origin {origin} may not use this server, which the request calls {host}. To allow them, add the origin to {OriginsKey}.");
    }
}
