using Microsoft.Extensions.Options;
using OrleansSessions.Grains;
using OrleansSessions.Server.Configuration;
using OrleansSessions.SocketGateway;

namespace OrleansSessions.Server.Hosting;

/// <summary>
/// Runs every validator before anything is built, in a separate container, because the real container already needs a valid configuration.
/// </summary>
internal static class ConfigurationCheck
{
    /// <param name="others">The mistakes that no section can find on its own.</param>
    /// <exception cref="ConfigurationErrorException">The configuration has mistakes. The exception contains all of them.</exception>
    public static void ThrowOnMistakes(CheckedConfiguration configuration, params IEnumerable<string?> others)
    {
        var errors = configuration.Errors.Concat(FindErrors(configuration.Values)).Concat(others.OfType<string>()).Distinct(StringComparer.Ordinal).ToList();
        if (errors.Count > 0)
        {
            throw new ConfigurationErrorException(errors);
        }
    }

    private static IEnumerable<string> FindErrors(IConfiguration values)
    {
        var services = new ServiceCollection();
        services.AddSingleton(values);
        services.AddServerOptions(values);
        new Registrations(services, values).AddSessionGrains(configPrefix: null);
        services.AddSocketGateway(static _ => { });
        using var provider = services.BuildServiceProvider();
        try
        {
            provider.GetRequiredService<IStartupValidator>().Validate();
            return [];
        }
        catch (OptionsValidationException exception)
        {
            return exception.Failures;
        }
        catch (AggregateException exception)
        {
            return
            [
                .. exception.Flatten().InnerExceptions.SelectMany(inner => inner is OptionsValidationException invalid ? invalid.Failures : [inner.Message]),
            ];
        }
    }

    /// <summary>Collects the registrations without building a silo.</summary>
    private sealed class Registrations(IServiceCollection services, IConfiguration configuration) : ISiloBuilder
    {
        public IServiceCollection Services { get; } = services;

        public IConfiguration Configuration { get; } = configuration;
    }
}
