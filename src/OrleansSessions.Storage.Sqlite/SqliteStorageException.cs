namespace OrleansSessions.Storage.Sqlite;

/// <summary>The file of a SQLite grain storage cannot be used. Thrown by the start of the silo, and by operations.</summary>
public sealed class SqliteStorageException : Exception
{
    internal SqliteStorageException(SqliteStorageFault fault, string path, Exception? inner = null)
        : base(Describe(fault, path), inner) => (Fault, Path) = (fault, path);

    /// <summary>What to tell apart.</summary>
    public SqliteStorageFault Fault { get; }

    /// <summary>The full path of the file.</summary>
    public string Path { get; }

    private static string Describe(SqliteStorageFault fault, string path) => fault switch
    {
        SqliteStorageFault.NotWritable => $"The file '{path}' cannot be created or written.",
        SqliteStorageFault.HeldByAnotherProcess => $"The file '{path}' is in use by another process.",
        SqliteStorageFault.Damaged => $"The file '{path}' is damaged, or it is not a SQLite database.",
        SqliteStorageFault.NotOurs => $"The file '{path}' is a database of another program.",
        SqliteStorageFault.NewerVersion => $"The file '{path}' was written by a later version of this program.",
        SqliteStorageFault.DiskFull => $"The disk of the file '{path}' is full.",
        SqliteStorageFault.NotOpen => $"The file '{path}' is not open, because its silo does not run.",
        _ => $"The file '{path}' cannot be read or written.",
    };
}
