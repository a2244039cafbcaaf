using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Configuration;

namespace OrleansSessions.Responders.ChatClient;

public static class ChatClientResponderExtensions
{
    /// <summary>
    /// Registers a responder that asks an <see cref="IChatClient"/>. <c>Responder:Name</c> selects it by its name. Safe to call twice: the last client of a
    /// name answers.
    /// </summary>
    /// <param name="name">The name in <c>Responder:Name</c> and in <c>hello</c>.</param>
    /// <param name="client">
    /// Returns the client. It is called once, when the silo starts, and only if the responder is the selected one. The container disposes the client.
    /// </param>
    /// <param name="configure">Sets options in code, after those of the configuration.</param>
    /// <param name="configPrefix">The prefix of the section <c>Responder:ChatClient</c>, or null if the host binds the options itself.</param>
    public static IServiceCollection AddChatClientResponder(
        this IServiceCollection services, string name, Func<IServiceProvider, IChatClient> client,
        Action<ChatClientResponderOptions>? configure = null, string? configPrefix = SectionOptionsExtensions.EmbeddedPrefix)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(client);
        services.AddSection<ChatClientResponderOptions>(configPrefix, name);
        if (configure is not null)
        {
            services.Configure(name, configure);
        }

        services.AddKeyedSingleton<IChatClient>(new ChatClientKey(name), (provider, _) => client(provider));
        return services.AddResponder<ChatClientResponder>(name);
    }
}
