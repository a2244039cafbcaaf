using System.Reflection;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;

namespace OrleansSessions.Server.Configuration;

/// <summary>
/// Adds the configuration sources, lowest priority first: the program, <c>appsettings.json</c> beside it, <c>--config</c>, the environment,
/// the command line.
/// </summary>
internal static class ConfigurationSources
{
    /// <returns>The sources whose keys were written only for this program, so that an unknown key is a mistake.</returns>
    public static IConfiguration Add(IConfigurationBuilder configuration, string[] args)
    {
        configuration.Sources.Insert(0, Defaults());
        var own = new ConfigurationBuilder();
        if (FileArgument(args) is { } name)
        {
            var path = ConfigFile.Find(name, Directory.GetCurrentDirectory(), AppContext.BaseDirectory);
            var file = new JsonConfigurationSource { Path = path };
            file.ResolveFileProvider();
            configuration.Sources.Insert(IndexOfEnvironment(configuration.Sources), file);
            own.AddJsonFile(path);
        }

        own.AddCommandLine(args);
        return own.Build();
    }

    private static string? FileArgument(string[] args) => new ConfigurationBuilder().AddCommandLine(args).Build()[ConfigFile.Key];

    /// <summary>Reads the values once: sources are loaded again whenever another source is inserted, and a stream can be read only once.</summary>
    private static MemoryConfigurationSource Defaults()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("appsettings.json")
            ?? throw new InvalidOperationException("The executable does not contain the default settings.");
        return new MemoryConfigurationSource { InitialData = new ConfigurationBuilder().AddJsonStream(stream).Build().AsEnumerable() };
    }

    /// <summary>Returns the index of the variables without a prefix. The host's variables, which have a prefix, have a lower priority than any file.</summary>
    private static int IndexOfEnvironment(IList<IConfigurationSource> sources) =>
        sources.IndexOf(sources.Last(source => source is EnvironmentVariablesConfigurationSource { Prefix: null or "" }));
}
