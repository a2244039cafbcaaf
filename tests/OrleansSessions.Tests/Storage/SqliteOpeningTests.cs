using Microsoft.Data.Sqlite;
using OrleansSessions.Storage.Sqlite;
using OrleansSessions.Tests.Server;
using Xunit;

namespace OrleansSessions.Tests.Storage;

/// <summary>Which files are opened, and why others are not. A file that is refused is left as it is.</summary>
public sealed class SqliteOpeningTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "states.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AFolderThatDoesNotExist_IsCreated()
    {
        var path = Path.Combine(_folder.Path, "a", "b", "states.db");
        await using (await OpenStorage.OpenAsync(path))
        {
        }

        Assert.True(System.IO.File.Exists(path));
    }

    [Fact]
    public async Task ItsFiles_AreForItsUserOnly()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such file modes.");
        await using var storage = await OpenStorage.OpenAsync(File);
        await storage.Slot("a").WriteAsync("1");

        Assert.Equal([File, File + "-wal"], Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal));
        Assert.All(Directory.GetFiles(_folder.Path), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Mode(file)));
    }

    [Fact]
    public async Task AnEmptyFile_IsUsed()
    {
        _folder.Write("states.db", "");
        await using var storage = await OpenStorage.OpenAsync(File);

        await storage.Slot("a").WriteAsync("1");
    }

    [Fact]
    public async Task ASecondStorage_IsRefused_UntilTheFirstIsClosed()
    {
        await using (var first = await OpenStorage.OpenAsync(File))
        {
            await RefusedAsync(SqliteStorageFault.HeldByAnotherProcess);
            await first.Slot("a").WriteAsync("still there");
        }

        await using var second = await OpenStorage.OpenAsync(File);
        Assert.Equal("still there", (await second.Slot("a").ReadAsync()).Text);
    }

    [Theory]
    [InlineData("xy")]
    [InlineData("{ \"a\": \"a text that is longer than the header of a database, which has one hundred bytes, so that all of it is compared\" }")]
    public async Task AFileThatIsNoDatabase_IsDamaged(string content)
    {
        _folder.Write("states.db", content);

        await RefusedUnchangedAsync(SqliteStorageFault.Damaged);
    }

    [Fact]
    public async Task AFileThatWasCut_IsDamaged()
    {
        await FillAsync();
        using (var file = System.IO.File.OpenWrite(File))
        {
            file.SetLength(file.Length / 2 / 4096 * 4096);
        }

        await RefusedUnchangedAsync(SqliteStorageFault.Damaged);
    }

    [Fact]
    public async Task AFileWithOtherBytesInTheMiddle_IsDamaged()
    {
        await FillAsync();
        using (var file = System.IO.File.OpenWrite(File))
        {
            file.Position = file.Length / 2 / 4096 * 4096;
            file.Write(new byte[4096]);
        }

        await RefusedUnchangedAsync(SqliteStorageFault.Damaged);
    }

    [Fact]
    public async Task ADatabaseOfAnotherProgram_IsNotOurs()
    {
        Run("CREATE TABLE states (id INTEGER)");

        await RefusedUnchangedAsync(SqliteStorageFault.NotOurs);
    }

    [Fact]
    public async Task AFileOfALaterVersion_IsRefused()
    {
        await FillAsync();
        Run("PRAGMA user_version = 2");

        await RefusedUnchangedAsync(SqliteStorageFault.NewerVersion);
    }

    [Fact]
    public async Task AFolderInPlaceOfTheFile_IsNotWritable()
    {
        Directory.CreateDirectory(File);

        await RefusedAsync(SqliteStorageFault.NotWritable);
    }

    [Fact]
    public async Task AFileInPlaceOfTheFolder_IsNotWritable()
    {
        _folder.Write("states.db");

        await RefusedAsync(SqliteStorageFault.NotWritable, Path.Combine(File, "inner.db"));
    }

    [Fact]
    public async Task AFileThatMayOnlyBeRead_IsNotWritable()
    {
        Assert.SkipWhen(Environment.UserName == "root", "The system lets its administrator write to every file.");
        await FillAsync();
        System.IO.File.SetAttributes(File, FileAttributes.ReadOnly);

        await RefusedUnchangedAsync(SqliteStorageFault.NotWritable);
    }

    private static UnixFileMode Mode(string file) =>
        OperatingSystem.IsWindows() ? throw new PlatformNotSupportedException() : System.IO.File.GetUnixFileMode(file);

    private async Task FillAsync()
    {
        await using var storage = await OpenStorage.OpenAsync(File);
        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => storage.Slot($"{i}").WriteAsync(new string('x', 1000))));
    }

    private void Run(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private async Task RefusedUnchangedAsync(SqliteStorageFault fault)
    {
        var before = await System.IO.File.ReadAllBytesAsync(File, TestContext.Current.CancellationToken);
        await RefusedAsync(fault);
        Assert.Equal(before, await System.IO.File.ReadAllBytesAsync(File, TestContext.Current.CancellationToken));
        Assert.Equal([File], Directory.GetFiles(_folder.Path));
    }

    private async Task RefusedAsync(SqliteStorageFault fault, string? path = null)
    {
        var refusal = await Assert.ThrowsAsync<SqliteStorageException>(() => OpenStorage.OpenAsync(path ?? File));

        Assert.Equal((fault, path ?? File), (refusal.Fault, refusal.Path));
        Assert.Contains(refusal.Path, refusal.Message, StringComparison.Ordinal);
    }
}
