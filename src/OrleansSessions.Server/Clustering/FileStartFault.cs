using OrleansSessions.Storage.Sqlite;

namespace OrleansSessions.Server.Clustering;

/// <summary>Says why the file of the sessions cannot be used, in words for the operator.</summary>
internal static class FileStartFault
{
    public static string Explain(SqliteStorageException exception) => exception.Fault switch
    {
        SqliteStorageFault.NotWritable =>
            $"{exception.Message} Set Sessions:File to a file that this process may write, or Sessions:Persistence=Memory to keep sessions in memory only.",
        SqliteStorageFault.HeldByAnotherProcess =>
            $"{exception.Message} Stop that one, set Sessions:File to another file, or Sessions:Persistence=Memory to keep sessions in memory only.",
        SqliteStorageFault.Damaged =>
            $"{exception.Message} Restore it from a copy, or move it away to start without its sessions. "
            + "Sessions:File names another file; Sessions:Persistence=Memory needs none.",
        SqliteStorageFault.NotOurs =>
            $"{exception.Message} It was not changed. Set Sessions:File to another file, or Sessions:Persistence=Memory to keep sessions in memory only.",
        SqliteStorageFault.NewerVersion =>
            $"{exception.Message} Start that version, or set Sessions:File to another file. Sessions:Persistence=Memory needs none.",
        SqliteStorageFault.DiskFull =>
            $"{exception.Message} Make room, set Sessions:File to a file on another disk, or Sessions:Persistence=Memory to keep sessions in memory only.",
        _ =>
            $"{exception.Message} {exception.InnerException?.Message} Set Sessions:File to another file, "
            + "or Sessions:Persistence=Memory to keep sessions in memory only.",
    };
}
