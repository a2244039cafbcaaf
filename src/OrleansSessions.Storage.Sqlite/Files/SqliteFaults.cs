using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace OrleansSessions.Storage.Sqlite.Files;

/// <summary>Turns the result codes of SQLite into faults that a caller can tell apart.</summary>
internal static class SqliteFaults
{
    public static SqliteStorageException Of(int code, string path, Exception? inner = null) => new(
        (code & 0xff) switch
        {
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => SqliteStorageFault.HeldByAnotherProcess,
            raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY or raw.SQLITE_PERM => SqliteStorageFault.NotWritable,
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => SqliteStorageFault.Damaged,
            raw.SQLITE_FULL => SqliteStorageFault.DiskFull,
            _ => SqliteStorageFault.Failed,
        },
        path,
        inner ?? new SqliteException(raw.sqlite3_errstr(code).utf8_to_string(), code));

    public static SqliteStorageException Of(SqliteException exception, string path) => Of(exception.SqliteErrorCode, path, exception);
}
