using Microsoft.Extensions.DependencyInjection;

namespace OrleansSessions.Client;

/// <summary>Adds the client to a container.</summary>
public static class SessionClientServices
{
    /// <summary>
    /// Adds a <see cref="SessionClientFactory"/> for one server, as a singleton. Called twice, the last call counts.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="url">The address of the server.</param>
    /// <param name="configure">
    /// Sets the options, once. It can take from the container what they need: an <c>HttpClient</c> of an <c>IHttpClientFactory</c> as
    /// <see cref="SessionClientOptions.Invoker"/>, for example, or whatever knows the token.
    /// </param>
    public static IServiceCollection AddSessionClient(
        this IServiceCollection services, Uri url, Action<IServiceProvider, SessionClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(url);
        return services.AddSingleton(provider =>
        {
            var options = new SessionClientOptions();
            configure?.Invoke(provider, options);
            return new SessionClientFactory(url, options);
        });
    }
}
