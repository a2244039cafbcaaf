using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OrleansSessions.Responders;

/// <summary>A responder that <c>Responder:Name</c> can choose.</summary>
/// <param name="Name">As the configuration and <c>hello</c> spell it.</param>
/// <param name="Type">The <see cref="IResponder"/>, or null where answers come from outside and nothing runs here.</param>
public sealed record ResponderRegistration(string Name, Type? Type)
{
    /// <summary>True where the question stays open until somebody answers it; only the total timer counts then.</summary>
    public bool IsAnsweredFromOutside => Type is null;
}

public static class ResponderServiceCollectionExtensions
{
    /// <summary>Makes a responder available under a name. The last registration of a name wins. Safe to call twice.</summary>
    public static IServiceCollection AddResponder<T>(this IServiceCollection services, string name)
        where T : class, IResponder
    {
        services.TryAddSingleton<T>();
        return services.AddResponder(new ResponderRegistration(name, typeof(T)));
    }

    /// <summary>Makes a name available whose questions are answered from outside. Safe to call twice.</summary>
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
