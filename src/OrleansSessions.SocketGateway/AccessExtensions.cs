using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;

namespace OrleansSessions.SocketGateway;

/// <summary>Applies the access policies of the session endpoints to the rest of a host.</summary>
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

    /// <summary>
    /// Serves an endpoint, for example metrics, only to callers with the permission <c>sessions:admin</c>, and to callers on this machine if the host listens
    /// only there. Others get 401 <c>unauthorized</c> or 403 <c>permission_denied</c>. Needs <c>AddSocketGateway</c>.
    /// </summary>
    public static TBuilder RequireAdministration<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(static builder =>
        {
            var gate = builder.ApplicationServices.GetRequiredService<AdministrationGate>();
            var inner = builder.RequestDelegate!;
            builder.RequestDelegate = async context =>
            {
                context.Response.Headers.CacheControl = "no-store";
                await (await gate.FindRefusalAsync(context) is { } refusal ? Problems.From(refusal).ExecuteAsync(context) : inner(context));
            };
        });
        return endpoint;
    }
}
