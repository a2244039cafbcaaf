namespace OrleansSessions.Storage.Sqlite;

/// <summary>The file of one SQLite grain storage.</summary>
public sealed class SqliteStorageOptions
{
    /// <summary>
    /// The file; a relative path is relative to the working directory. It and its folder are created if they do not exist. Beside it are a file that
    /// ends in <c>-wal</c> while the silo runs and, for moments, one that ends in <c>-journal</c>. One silo holds the file alone. Required; no default.
    /// </summary>
    public string Path { get; set; } = "";

    /// <summary>
    /// A state that was not written for this time is forgotten, at most a minute later. Null, the default, keeps every state until it is cleared;
    /// otherwise more than zero and at most 10,000 days.
    /// </summary>
    public TimeSpan? EntryExpiry { get; set; }

    /// <summary>
    /// True to wait for the disk at each commit, so that a power failure or a crash of the system loses nothing. Default false: those can lose the
    /// last moments, and never damage the file. The end of the process loses nothing in either case. A wait takes as long as the disk needs: from
    /// less than a millisecond to more than ten, once for all writes that came meanwhile.
    /// </summary>
    public bool SyncEachCommit { get; set; }
}
