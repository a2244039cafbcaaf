using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime.Hosting;
using Orleans.Storage;
using OrleansSessions.Storage.Sqlite.Writing;

namespace OrleansSessions.Storage.Sqlite;

/// <summary>Adds grain storage in a SQLite file to a silo.</summary>
public static class SqliteStorageBuilderExtensions
{
    /// <summary>
    /// Adds a grain storage that keeps its states in one file, which this silo holds alone. The file is opened when the silo starts and closed when it
    /// has stopped; a file that cannot be used fails the start with a <see cref="SqliteStorageException"/>. States are serialised by Orleans' own
    /// serializer. Safe to call more than once: the storage is added once, and every <paramref name="configure"/> is applied.
    /// </summary>
    public static ISiloBuilder AddSqliteGrainStorage(this ISiloBuilder builder, string name, Action<SqliteStorageOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        var services = builder.Services;
        services.Configure(name, configure);
        if (services.Any(service => service.ImplementationInstance is Registration known && known.Name == name))
        {
            return builder;
        }

        services.AddSingleton(new Registration(name));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SqliteStorageOptions>, SqliteStorageOptionsValidator>());
        services.AddOptions<SqliteStorageOptions>(name).ValidateOnStart();
        services.AddGrainStorage(
            name, static (provider, key) => ActivatorUtilities.CreateInstance<SqliteGrainStorage>(provider, key, CreateWriter(provider, key)));
        return builder;
    }

    /// <summary>
    /// Opens the file of a storage now instead of when the silo starts, so that a host can report a file that it cannot use before anything has started.
    /// Safe to call more than once. If the silo is not started after it, disposing of the host closes the file.
    /// </summary>
    /// <exception cref="SqliteStorageException">The file cannot be used.</exception>
    public static Task OpenSqliteGrainStorageAsync(this IServiceProvider services, string name) =>
        services.GetRequiredKeyedService<IGrainStorage>(name) is SqliteGrainStorage storage
            ? storage.OpenAsync()
            : throw new InvalidOperationException($"The grain storage '{name}' is not in a SQLite file.");

    private static StateWriter CreateWriter(IServiceProvider provider, string name) => new(
        provider.GetRequiredService<IOptionsMonitor<SqliteStorageOptions>>().Get(name),
        provider.GetRequiredService<TimeProvider>(),
        provider.GetRequiredService<ILogger<SqliteGrainStorage>>());

    private sealed record Registration(string Name);
}
