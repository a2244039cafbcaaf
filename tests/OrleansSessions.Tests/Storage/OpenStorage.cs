using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using OrleansSessions.Storage.Sqlite;
using OrleansSessions.Storage.Sqlite.Writing;

namespace OrleansSessions.Tests.Storage;

/// <summary>A storage in a file, without a silo, with a clock that the test controls.</summary>
internal sealed class OpenStorage : IAsyncDisposable
{
    private static readonly IServiceProvider Services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private OpenStorage(SqliteStorageOptions options, FakeTimeProvider clock)
    {
        Writer = new(options, clock, NullLogger.Instance);
        Storage = new("test", Writer, Services.GetRequiredService<Serializer>(), Services.GetRequiredService<IActivatorProvider>());
        Clock = clock;
    }

    public SqliteGrainStorage Storage { get; }

    public StateWriter Writer { get; }

    public FakeTimeProvider Clock { get; }

    public static Task<OpenStorage> OpenAsync(string path, TimeSpan? expiry = null) => OpenAsync(new() { Path = path, EntryExpiry = expiry });

    public static async Task<OpenStorage> OpenAsync(SqliteStorageOptions options)
    {
        var storage = new OpenStorage(options, new(DateTimeOffset.UnixEpoch.AddYears(56)));
        await storage.Storage.OpenAsync();
        return storage;
    }

    public Slot Slot(string key) => new(Storage, Tests.Storage.Slot.Grain(key));

    /// <summary>Holds the thread of the file inside a transaction, so that what comes gathers behind it.</summary>
    public async Task<HeldTransaction> HoldAsync()
    {
        var held = new HeldTransaction();
        _ = Writer.RunAsync(held);
        await held.Entered;
        return held;
    }

    public async ValueTask DisposeAsync()
    {
        await Writer.StopAsync();
        Storage.Dispose();
    }
}
