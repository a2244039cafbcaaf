namespace OrleansSessions.Storage.Sqlite.Files;

/// <summary>What became of a write or a clear.</summary>
/// <param name="IsConflict">True if nothing was changed, because the ETag is not the one of the file.</param>
/// <param name="ETag">The ETag that is in the file now; 0 if there is no state.</param>
internal readonly record struct StateOutcome(bool IsConflict, long ETag)
{
    public static StateOutcome Done(long etag) => new(false, etag);

    public static StateOutcome Conflict(long stored) => new(true, stored);
}
