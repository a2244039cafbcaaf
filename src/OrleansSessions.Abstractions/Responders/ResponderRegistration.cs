using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OrleansSessions.Responders;

/// <summary>A responder that <c>Responder:Name</c> can select.</summary>
/// <param name="Name">The name in the configuration and in <c>hello</c>.</param>
/// <param name="Type">The <see cref="IResponder"/>, or null if answers come from outside and no responder runs here.</param>
public sealed record ResponderRegistration(string Name, Type? Type)
{
    /// <summary>True if the question stays open until it is answered from outside. Only the total timer applies then.</summary>
    public bool IsAnsweredFromOutside => Type is null;
}

public static class ResponderServiceCollectionExtensions
{
    /// <summary>Registers a responder under a name. The last registration of a name wins. Safe to call twice.</summary>
    public static IServiceCollection AddResponder<T>(this IServiceCollection services, string name)
        where T : class, IResponder
    {
        services.TryAddSingleton<T>();
        return services.AddResponder(new ResponderRegistration(name, typeof(T)));
    }

    /// <summary>Registers a name whose questions are answered from outside. Safe to call twice.</summary>
    public static IServiceCollection AddExternalResponder(this IServiceCollection services, string name) =>
        services.AddResponder(new ResponderRegistration(name, null));

    private static IServiceCollection AddResponder(this IServiceCollection services, ResponderRegistration registration)
    {
        if (services.FirstOrDefault(service => registration.Equals(service.ImplementationInstance)) is { } earlier)
        {
            services.Remove(earlier);
        }

        return services.AddSingleton(registration);
    }
}
