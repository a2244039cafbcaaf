using Microsoft.Extensions.Configuration;
using OrleansSessions.Clustering;
using OrleansSessions.Server;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Hosting;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.Tests.Deploy;

/// <summary>What a file in <c>deploy</c> sets for the server, and what follows from it.</summary>
internal sealed class DeploySettings
{
    private readonly ConfigurationManager _values = new();

    /// <param name="arguments">The command line, of which only <c>--config NAME</c> is known.</param>
    /// <param name="environment">Environment variables.</param>
    public DeploySettings(IReadOnlyList<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        Assert.Equal(["--config", "redis-all"], arguments);
        _values.AddJsonFile(Path.Combine(RepositoryFolder.Path, "silo-config", arguments[1] + ".json"));
        _values.AddInMemoryCollection(environment.Select(pair => KeyValuePair.Create<string, string?>(pair.Key.Replace("__", ":", StringComparison.Ordinal), pair.Value)));
    }

    public string? this[string key] => _values[key];

    /// <summary>How long a node may take from SIGTERM to its end.</summary>
    public TimeSpan LongestStop => Server.DrainTimeout + DrainOptions.StopTime;

    public ServerOptions Server => _values.GetSection(ServerOptions.Section).Get<ServerOptions>() ?? new();

    /// <summary>Fails for a key that the server does not know, and for a value that it does not take.</summary>
    public void AssertValid() => ConfigurationCheck.ThrowOnMistakes(CheckedConfiguration.Check(_values, _values, KnownSections.All));
}
