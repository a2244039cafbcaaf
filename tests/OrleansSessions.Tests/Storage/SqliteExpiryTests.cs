using OrleansSessions.TestKit.Clusters;
using OrleansSessions.Tests.Server;
using Xunit;

namespace OrleansSessions.Tests.Storage;

/// <summary>States that nobody writes are forgotten, and their room is used again.</summary>
public sealed class SqliteExpiryTests : IDisposable
{
    private static readonly TimeSpan Expiry = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "states.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AState_IsKeptForItsTime_AndForgottenWithinAMinuteAfterIt()
    {
        await using var storage = await OpenStorage.OpenAsync(File, Expiry);
        await storage.Slot("a").WriteAsync("1");

        storage.Clock.Advance(Expiry);
        Assert.True((await storage.Slot("a").ReadAsync()).Exists);

        storage.Clock.Advance(Minute + TimeSpan.FromSeconds(1));
        Assert.False((await storage.Slot("a").ReadAsync()).Exists);
    }

    [Fact]
    public async Task AWrite_StartsTheTimeAgain()
    {
        await using var storage = await OpenStorage.OpenAsync(File, Expiry);
        var slot = storage.Slot("a");
        await slot.WriteAsync("1");
        storage.Clock.Advance(Expiry - Minute);
        await slot.WriteAsync("2");
        storage.Clock.Advance(Expiry - Minute);

        Assert.Equal("2", (await storage.Slot("a").ReadAsync()).Text);
    }

    [Fact]
    public async Task AnExpiredState_CountsAsNotThere_ForEveryOperation()
    {
        // Without the clock of the file, nothing is deleted: what is looked at here is only expired.
        await using var storage = await OpenStorage.OpenAsync(File, Expiry);
        var (update, clear, insert) = (storage.Slot("update"), storage.Slot("clear"), storage.Slot("insert"));
        foreach (var slot in new[] { update, clear, insert })
        {
            await slot.WriteAsync("old");
        }

        var held = await storage.HoldAsync();
        storage.Clock.Advance(Expiry + Minute + TimeSpan.FromSeconds(1));
        var (updated, cleared, inserted) = (update.WriteAsync("lost"), clear.ClearAsync(), storage.Slot("insert").WriteAsync("new"));
        await held.ReleaseAsync();

        var fault = await Assert.ThrowsAsync<Orleans.Storage.InconsistentStateException>(() => updated);
        Assert.True(string.IsNullOrEmpty(fault.StoredEtag), fault.StoredEtag);
        await cleared;
        await inserted;
        Assert.Equal("new", (await storage.Slot("insert").ReadAsync()).Text);
    }

    [Fact]
    public async Task WithoutAnExpiry_NothingIsForgotten()
    {
        await using var storage = await OpenStorage.OpenAsync(File);
        await storage.Slot("a").WriteAsync("1");

        storage.Clock.Advance(TimeSpan.FromDays(4000));

        Assert.True((await storage.Slot("a").ReadAsync()).Exists);
    }

    [Fact]
    public async Task States_ThatComeAndGo_DoNotGrowTheFile_AndLeaveItSmall()
    {
        var text = new string('x', 3000);
        await using var storage = await OpenStorage.OpenAsync(File, Expiry);
        var sizes = new List<long>();
        for (var generation = 0; generation < 4; generation++)
        {
            await Task.WhenAll(Enumerable.Range(0, 3000).Select(i => storage.Slot($"{generation}-{i}").WriteAsync(text)));
            sizes.Add(await PagesAsync(storage));

            storage.Clock.Advance(Expiry + Minute + Minute);

            // Less than that is left only when nearly all expired states are deleted: 1,024 free pages are kept, and the table itself needs a few.
            await Eventually.TrueAsync(async () => await PagesAsync(storage) < 1024 + 16, "the pages of expired states are given back");
        }

        Assert.InRange(sizes.Max(), sizes[0], sizes[0] + (sizes[0] / 10));
    }

    private static async Task<long> PagesAsync(OpenStorage storage)
    {
        var count = new CountPages();
        Assert.True(storage.Writer.TryRun(count));
        return await count.Pages;
    }
}
