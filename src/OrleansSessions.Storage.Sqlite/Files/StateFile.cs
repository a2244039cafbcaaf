using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace OrleansSessions.Storage.Sqlite.Files;

/// <summary>The open file. It belongs to one thread, and to one process: another one that opens the file is refused.</summary>
internal sealed class StateFile : IDisposable
{
    /// <summary>Marks a SQLite file as one of this library: "OSes".</summary>
    private const int ApplicationId = 0x4F536573;

    private const int Version = 1;

    /// <summary>Larger files are not read whole at the start. This much takes a fraction of a second from memory, and a few seconds from a slow disk.</summary>
    private const long MaxCheckedBytes = 256L * 1024 * 1024;

    /// <summary>How long the start waits for a process that is about to end, in seconds.</summary>
    private const int BusySeconds = 1;

    /// <summary>Pages that are free may stay so, up to this many and up to a quarter of the file, because the next states need them again.</summary>
    private const long KeptFreePages = 1024;

    private const int PagesReturnedAtOnce = 256;

    private readonly SqliteConnection _connection;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;
    private readonly Statement _freePages;
    private readonly Statement _allPages;
    private readonly Statement _returnPages;

    private StateFile(SqliteConnection connection, string path, StateTable states)
    {
        (_connection, States) = (connection, states);
        var database = connection.Handle!;
        _begin = new(database, path, "BEGIN");
        _commit = new(database, path, "COMMIT");
        _rollback = new(database, path, "ROLLBACK");
        _freePages = new(database, path, "PRAGMA freelist_count");
        _allPages = new(database, path, "PRAGMA page_count");
        _returnPages = new(database, path, $"PRAGMA incremental_vacuum({PagesReturnedAtOnce})");
    }

    public StateTable States { get; }

    /// <exception cref="SqliteStorageException">The file cannot be used. It was not changed.</exception>
    public static StateFile Open(string path, SqliteStorageOptions options, TimeProvider time)
    {
        SqliteConnection? connection = null;
        try
        {
            // 1. The folder and the file.
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            CreateForItsUserOnly(path);
            connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = BusySeconds }.ToString());
            connection.Open();
            if (raw.sqlite3_db_readonly(connection.Handle!, "main") == 1)
            {
                throw new SqliteStorageException(SqliteStorageFault.NotWritable, path);
            }

            // 2. Whose it is, before anything in it changes. The first read takes the lock, which is held until the file is closed.
            Run(connection, "PRAGMA locking_mode = EXCLUSIVE");
            var isNew = MustBeOurs(connection, path);

            // 3. What is in it.
            if (isNew)
            {
                Run(connection, "PRAGMA auto_vacuum = INCREMENTAL");
                Run(connection, $"BEGIN; {StateTable.Schema} PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version}; COMMIT;");
            }
            else
            {
                MustBeWhole(connection, path);
            }

            // 4. How it is written: appended to a second file, which is moved into the first one every 16 MiB.
            if (Text(connection, "PRAGMA journal_mode = WAL") != "wal")
            {
                throw new SqliteStorageException(SqliteStorageFault.NotWritable, path);
            }

            Run(connection, $"PRAGMA synchronous = {(options.SyncEachCommit ? "FULL" : "NORMAL")}");
            Run(connection, "PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY");
            return new(connection, path, new(connection.Handle!, path, time, options.EntryExpiry));
        }
        catch (Exception exception)
        {
            connection?.Dispose();
            throw exception switch
            {
                SqliteException fault => SqliteFaults.Of(fault, path),
                IOException or UnauthorizedAccessException => new SqliteStorageException(SqliteStorageFault.NotWritable, path, exception),
                _ => exception,
            };
        }
    }

    /// <summary>The size of the file in pages, free ones included.</summary>
    public long Pages => Number(_allPages);

    public void Begin() => _begin.Execute();

    public void Commit() => _commit.Execute();

    /// <summary>Undoes the open transaction, if SQLite has not done so by itself. If that fails too, the next one cannot begin and tries it again.</summary>
    public void Rollback()
    {
        if (raw.sqlite3_get_autocommit(_connection.Handle!) != 0)
        {
            return;
        }

        try
        {
            _rollback.Execute();
        }
        catch (SqliteStorageException)
        {
            // The fault that led here is the one to report.
        }
    }

    /// <summary>Gives free pages back to the system if there are many, some at a time.</summary>
    /// <returns>True if there are more.</returns>
    public bool ReturnFreePages()
    {
        if (!HasManyFreePages)
        {
            return false;
        }

        _returnPages.Execute();
        return HasManyFreePages;
    }

    /// <summary>Moves everything into the one file and closes it.</summary>
    public void Dispose()
    {
        try
        {
            Run(_connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException)
        {
            // Nothing is lost: what was committed is in the file beside it, which the next start reads.
        }

        States.Dispose();
        foreach (var statement in new[] { _begin, _commit, _rollback, _freePages, _allPages, _returnPages })
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private bool HasManyFreePages => Number(_freePages) > Math.Max(KeptFreePages, Pages / 4);

    /// <summary>
    /// Creates the file so that other users of the machine cannot read what is in it. The files beside it get the same rights from SQLite.
    /// </summary>
    private static void CreateForItsUserOnly(string path)
    {
        // A file that exists is not opened here: closing it would release the locks of a storage in this process that has it open.
        if (!OperatingSystem.IsWindows() && !Path.Exists(path))
        {
            var create = new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            new FileStream(path, create).Dispose();
        }
    }

    /// <returns>True if the file is empty.</returns>
    private static bool MustBeOurs(SqliteConnection connection, string path)
    {
        var application = Number(connection, "PRAGMA application_id");
        if (application == 0 && Number(connection, "SELECT count(*) FROM sqlite_schema") == 0)
        {
            return true;
        }

        if (application != ApplicationId)
        {
            throw new SqliteStorageException(SqliteStorageFault.NotOurs, path);
        }

        if (Number(connection, "PRAGMA user_version") > Version)
        {
            throw new SqliteStorageException(SqliteStorageFault.NewerVersion, path);
        }

        return false;
    }

    /// <summary>SQLite itself refuses a file that is shorter than its header says. The rest needs reading all of it.</summary>
    private static void MustBeWhole(SqliteConnection connection, string path)
    {
        var bytes = Number(connection, "PRAGMA page_count") * Number(connection, "PRAGMA page_size");
        if (bytes <= MaxCheckedBytes && Text(connection, "PRAGMA quick_check(1)") != "ok")
        {
            throw new SqliteStorageException(SqliteStorageFault.Damaged, path);
        }
    }

    private static long Number(Statement statement)
    {
        var number = statement.Step() ? statement.Number(0) : 0;
        statement.Reset();
        return number;
    }

    private static long Number(SqliteConnection connection, string sql) => (long)Scalar(connection, sql)!;

    private static string? Text(SqliteConnection connection, string sql) => Scalar(connection, sql) as string;

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
