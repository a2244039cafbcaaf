using System.Reflection;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;

namespace OrleansSessions.Server.Configuration;

/// <summary>Where values come from, the weakest first: the program, <c>appsettings.json</c> beside it, <c>--config</c>, environment, command line.</summary>
internal static class ConfigurationSources
{
    /// <returns>The sources whose keys a person wrote for this program alone, so that an unknown one is a mistake.</returns>
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

    /// <summary>Read at once: a source is loaded again whenever another is put in, and a stream can be read only once.</summary>
    private static MemoryConfigurationSource Defaults()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("appsettings.json")
            ?? throw new InvalidOperationException("The default settings are not in the executable.");
        return new MemoryConfigurationSource { InitialData = new ConfigurationBuilder().AddJsonStream(stream).Build().AsEnumerable() };
    }

    /// <summary>The variables without a prefix; those of the host, which come with one, are weaker than any file.</summary>
    private static int IndexOfEnvironment(IList<IConfigurationSource> sources) =>
        sources.IndexOf(sources.Last(source => source is EnvironmentVariablesConfigurationSource { Prefix: null or "" }));
}
