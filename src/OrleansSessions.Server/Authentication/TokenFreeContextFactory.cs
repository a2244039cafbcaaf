using Microsoft.AspNetCore.Http.Features;

namespace OrleansSessions.Server.Authentication;

/// <summary>
/// Creates the context of each request from an address without tokens. The hosting layer logs the address of a request, and tags its activity with it, before
/// any middleware runs, so this is the only place that is early enough. With the framework's own factory, the context of a connection's last request is used
/// again; here each request has a new one, which is some hundred bytes. A socket is one request.
/// </summary>
internal sealed class TokenFreeContextFactory(IServiceProvider services, bool isAccepted) : IHttpContextFactory
{
    private readonly DefaultHttpContextFactory _inner = new(services);

    public HttpContext Create(IFeatureCollection featureCollection)
    {
        QueryTokens.Remove(featureCollection, isAccepted);
        return _inner.Create(featureCollection);
    }

    public void Dispose(HttpContext httpContext) => _inner.Dispose(httpContext);
}

internal static class QueryTokensHosting
{
    /// <param name="isAccepted">
    /// Whether this server uses tokens in addresses. They are removed in any case: a token that is not used must not be logged, either.
    /// </param>
    public static void AddQueryTokens(this IServiceCollection services, bool isAccepted) =>
        services.AddSingleton<IHttpContextFactory>(provider => new TokenFreeContextFactory(provider, isAccepted));
}
