using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Orleans.TestingHost;
using OrleansSessions.Storage.Sqlite;
using OrleansSessions.Tests.Server;
using Xunit;

namespace OrleansSessions.Tests.Storage;

/// <summary>A silo with a storage in memory and one in a file.</summary>
public sealed class StorageCluster : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private InProcessTestCluster _cluster = null!;

    public IGrainStorage this[string name] => _cluster.Silos.Single().ServiceProvider.GetRequiredKeyedService<IGrainStorage>(name);

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => silo
            .AddMemoryGrainStorage("memory")
            .AddSqliteGrainStorage("file", options => options.Path = Path.Combine(_folder.Path, "new", "states.db"))
            .AddSqliteGrainStorage("file", options => options.EntryExpiry = TimeSpan.FromDays(1)));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _folder.Dispose();
    }
}
