using Orleans.Storage;
using OrleansSessions.Storage.Sqlite;
using OrleansSessions.Tests.Server;
using Xunit;

namespace OrleansSessions.Tests.Storage;

/// <summary>How writes share transactions, and what becomes of them when one fails or the silo stops.</summary>
public sealed class SqliteWritingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "states.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Writes_ThatComeTogether_ShareATransaction()
    {
        await using var storage = await OpenStorage.OpenAsync(File);
        var held = await storage.HoldAsync();
        var before = storage.Writer.Transactions;
        var writes = Enumerable.Range(0, 200).Select(i => storage.Slot($"{i}").WriteAsync($"{i}")).ToList();

        await held.ReleaseAsync();
        await Task.WhenAll(writes);

        // One of the held operation, and one of all the writes.
        Assert.Equal(before + 2, storage.Writer.Transactions);
        Assert.Equal("199", (await storage.Slot("199").ReadAsync()).Text);
    }

    [Fact]
    public async Task AConflict_FailsAlone_AmongTheWritesOfItsTransaction()
    {
        await using var storage = await OpenStorage.OpenAsync(File);
        await storage.Slot("taken").WriteAsync("owner");
        var held = await storage.HoldAsync();

        var before = storage.Slot("before").WriteAsync("1");
        var conflict = storage.Slot("taken").WriteAsync("lost");
        var after = storage.Slot("after").WriteAsync("2");
        var read = storage.Slot("before").ReadAsync();
        await held.ReleaseAsync();

        await Task.WhenAll(before, after);
        var fault = await Assert.ThrowsAsync<InconsistentStateException>(() => conflict);
        Assert.Equal(((await storage.Slot("taken").ReadAsync()).ETag, null), (fault.StoredEtag, fault.CurrentEtag));
        Assert.Equal("1", (await read).Text);
    }

    [Fact]
    public async Task ATransactionThatFails_WritesNothing_FailsAllOfIt_AndTheNextSucceeds()
    {
        await using var storage = await OpenStorage.OpenAsync(File);
        var held = await storage.HoldAsync();
        var (slot, full) = (storage.Slot("a"), new SqliteStorageException(SqliteStorageFault.DiskFull, File));

        var write = slot.WriteAsync("1");
        var failing = storage.Writer.RunAsync(new FailingOperation(full));
        var other = storage.Slot("b").WriteAsync("2");
        await held.ReleaseAsync();

        foreach (var task in new[] { write, failing, other })
        {
            Assert.Same(full, await Assert.ThrowsAsync<SqliteStorageException>(() => task));
        }

        Assert.False((await storage.Slot("a").ReadAsync()).Exists);
        Assert.Null(slot.ETag);
        await slot.WriteAsync("again");
        Assert.Equal("again", (await storage.Slot("a").ReadAsync()).Text);
    }

    [Fact]
    public async Task AFullQueue_MakesCallersWait_AndLosesNothing()
    {
        const int Callers = 3000;
        await using var storage = await OpenStorage.OpenAsync(File);
        var held = await storage.HoldAsync();
        var writes = Enumerable.Range(0, Callers).Select(i => storage.Slot($"{i}").WriteAsync($"{i}")).ToList();

        Assert.InRange(storage.Writer.Waiting, 1, 1024);
        await held.ReleaseAsync();
        await Task.WhenAll(writes);

        foreach (var i in new[] { 0, 1024, Callers - 1 })
        {
            Assert.Equal($"{i}", (await storage.Slot($"{i}").ReadAsync()).Text);
        }
    }

    [Fact]
    public async Task Stop_WritesWhatWaits_AndLeavesOneFile()
    {
        await using (var storage = await OpenStorage.OpenAsync(File))
        {
            var held = await storage.HoldAsync();
            var writes = Enumerable.Range(0, 50).Select(i => storage.Slot($"{i}").WriteAsync($"{i}")).ToList();
            var stopped = storage.Writer.StopAsync();
            var late = storage.Slot("late").WriteAsync("lost");
            await held.ReleaseAsync();

            await Task.WhenAll(writes);
            await stopped;
            Assert.Equal(SqliteStorageFault.NotOpen, (await Assert.ThrowsAsync<SqliteStorageException>(() => late)).Fault);
        }

        Assert.Equal([File], Directory.GetFiles(_folder.Path));
        await using var again = await OpenStorage.OpenAsync(File);
        Assert.Equal("49", (await again.Slot("49").ReadAsync()).Text);
        Assert.False((await again.Slot("late").ReadAsync()).Exists);
    }

    [Fact]
    public async Task AStateThatIsWrittenAnew_HasAnotherETagThanTheEarlierOne()
    {
        await using var storage = await OpenStorage.OpenAsync(File);
        var slot = storage.Slot("a");
        await slot.WriteAsync("1");
        var earlier = slot.ETag;
        await slot.ClearAsync();
        await slot.WriteAsync("2");

        Assert.NotEqual(earlier, slot.ETag);
    }

    [Fact]
    public async Task WithAWaitForTheDisk_WritesStillShareTransactions()
    {
        await using (var storage = await OpenStorage.OpenAsync(new SqliteStorageOptions { Path = File, SyncEachCommit = true }))
        {
            var held = await storage.HoldAsync();
            var before = storage.Writer.Transactions;
            var writes = Enumerable.Range(0, 50).Select(i => storage.Slot($"{i}").WriteAsync($"{i}")).ToList();
            await held.ReleaseAsync();
            await Task.WhenAll(writes);
            Assert.Equal(before + 2, storage.Writer.Transactions);
        }

        await using var again = await OpenStorage.OpenAsync(File);
        Assert.Equal("49", (await again.Slot("49").ReadAsync()).Text);
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("-5")]
    [InlineData("0")]
    public async Task AnETagFromElsewhere_IsAConflict(string etag)
    {
        await using var storage = await OpenStorage.OpenAsync(File);
        await storage.Slot("a").WriteAsync("kept");
        var slot = storage.Slot("a");
        slot.ETag = etag;

        Assert.Equal(etag, (await Assert.ThrowsAsync<InconsistentStateException>(() => slot.WriteAsync("lost"))).CurrentEtag);
        Assert.Equal("kept", (await storage.Slot("a").ReadAsync()).Text);
    }
}
