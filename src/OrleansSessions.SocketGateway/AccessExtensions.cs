using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;

namespace OrleansSessions.SocketGateway;

/// <summary>Guards the rest of a host as the session endpoints guard themselves.</summary>
public static class AccessExtensions
{
    /// <summary>Adds what <see cref="UseLoopbackHosts"/> needs, in a host without a socket gateway. Safe to call twice.</summary>
    public static IServiceCollection AddLoopbackHosts(this IServiceCollection services)
    {
        services.TryAddSingleton<HostPolicy>();
        services.TryAddSingleton<AccessLog>();
        services.TryAddSingleton<AccessPolicy>();
        return services;
    }

    /// <summary>
    /// Where the host listens on loopback only, refuses with 403 every request whose <c>Host</c> is neither a loopback name nor one of <c>AllowedHosts</c>,
    /// so that no foreign page can read what has no check of its own: pages, metrics, documents. The endpoints of <c>MapSocketGateway</c> and
    /// <c>MapSessionHttp</c> do so by themselves.
    /// </summary>
    public static IApplicationBuilder UseLoopbackHosts(this IApplicationBuilder app)
    {
        var policy = app.ApplicationServices.GetRequiredService<AccessPolicy>();
        return app.Use((context, next) => policy.FindHostRefusal(context) is { } refusal
            ? Problems.From(refusal).ExecuteAsync(context)
            : next(context));
    }
}
