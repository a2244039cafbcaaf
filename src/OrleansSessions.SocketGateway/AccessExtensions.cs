using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;

namespace OrleansSessions.SocketGateway;

/// <summary>Applies the <c>Host</c> check of the session endpoints to the rest of a host.</summary>
public static class AccessExtensions
{
    /// <summary>Adds the services that <see cref="UseLoopbackHosts"/> needs in a host without a socket gateway. Safe to call twice.</summary>
    public static IServiceCollection AddLoopbackHosts(this IServiceCollection services)
    {
        services.TryAddSingleton<HostPolicy>();
        services.TryAddSingleton<AccessLog>();
        services.TryAddSingleton<AccessPolicy>();
        return services;
    }

    /// <summary>
    /// If the host listens only on loopback, refuses every request whose <c>Host</c> is neither a loopback name nor in <c>AllowedHosts</c> with 403. A
    /// foreign page can then not read endpoints without a check of their own, for example pages, metrics and documents. The endpoints of
    /// <c>MapSocketGateway</c> and <c>MapSessionHttp</c> have this check already.
    /// </summary>
    public static IApplicationBuilder UseLoopbackHosts(this IApplicationBuilder app)
    {
        var policy = app.ApplicationServices.GetRequiredService<AccessPolicy>();
        return app.Use((context, next) => policy.FindHostRefusal(context) is { } refusal
            ? Problems.From(refusal).ExecuteAsync(context)
            : next(context));
    }
}
