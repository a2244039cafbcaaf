namespace OrleansSessions.Storage.Sqlite;

/// <summary>Why a file cannot be used.</summary>
public enum SqliteStorageFault
{
    /// <summary>The disk or the system reported a fault that none of the other values describes.</summary>
    Failed = 0,

    /// <summary>The file or its folder cannot be created or written.</summary>
    NotWritable = 1,

    /// <summary>Another process, or another silo in this process, has the file open.</summary>
    HeldByAnotherProcess = 2,

    /// <summary>The file is damaged, or it is not a SQLite database at all.</summary>
    Damaged = 3,

    /// <summary>The file is a SQLite database of another program.</summary>
    NotOurs = 4,

    /// <summary>The file was written by a later version of this library.</summary>
    NewerVersion = 5,

    /// <summary>The disk is full, or a quota is used up. What was written before is kept, and writes succeed again when there is room.</summary>
    DiskFull = 6,

    /// <summary>The file is not open: the silo has not started, or it has stopped.</summary>
    NotOpen = 7,
}
