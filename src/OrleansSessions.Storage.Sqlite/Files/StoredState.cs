namespace OrleansSessions.Storage.Sqlite.Files;

/// <summary>A state as it is in the file.</summary>
internal readonly record struct StoredState(long ETag, byte[] State);
