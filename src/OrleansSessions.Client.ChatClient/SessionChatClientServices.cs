using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OrleansSessions.Client.ChatClient;

/// <summary>Adds the chat client to a container.</summary>
public static class SessionChatClientServices
{
    /// <summary>
    /// Adds a <see cref="SessionChatClient"/> as a singleton, and as the <see cref="IChatClient"/> unless there is one. It uses the
    /// <see cref="SessionClientFactory"/> that <see cref="SessionClientServices.AddSessionClient"/> adds. Called twice, the first call counts.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Sets the options, once.</param>
    public static IServiceCollection AddSessionChatClient(this IServiceCollection services, Action<SessionChatClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(provider =>
        {
            var options = new SessionChatClientOptions();
            configure?.Invoke(options);
            return new SessionChatClient(provider.GetRequiredService<SessionClientFactory>(), options);
        });
        services.TryAddSingleton<IChatClient>(provider => provider.GetRequiredService<SessionChatClient>());
        return services;
    }
}
