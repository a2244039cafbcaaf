using SQLitePCL;

namespace OrleansSessions.Storage.Sqlite.Files;

/// <summary>
/// A prepared statement. It uses SQLite directly, because a command of ADO.NET allocates a reader for each execution and boxes each number.
/// </summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly string _path;

    public Statement(sqlite3 database, string path, string sql)
    {
        (_database, _path) = (database, path);
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
    }

    public void Bind(int parameter, long value) => Check(raw.sqlite3_bind_int64(_statement, parameter, value));

    /// <summary>Binds a blob. Its bytes are copied.</summary>
    public void Bind(int parameter, ReadOnlyMemory<byte> value) => Check(raw.sqlite3_bind_blob(_statement, parameter, value.Span));

    /// <summary>Binds the grain as the first parameter, and the name of the state as the second.</summary>
    public void Bind(StateKey key)
    {
        Bind(1, key.Grain);
        Check(raw.sqlite3_bind_text(_statement, 2, key.Name.Span));
    }

    /// <summary>Runs to the next row; false if there is none.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(_statement);
        if (code is raw.SQLITE_ROW)
        {
            return true;
        }

        if (code is not raw.SQLITE_DONE)
        {
            raw.sqlite3_reset(_statement);
            Check(code);
        }

        return false;
    }

    public long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    public byte[] Blob(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    /// <summary>Ends an execution whose rows are not all read.</summary>
    public void Reset() => raw.sqlite3_reset(_statement);

    /// <summary>Runs a statement without rows, and returns how many it has changed.</summary>
    public int Execute()
    {
        while (Step())
        {
            // A statement that returns rows is executed for its effect.
        }

        raw.sqlite3_reset(_statement);
        return raw.sqlite3_changes(_database);
    }

    public void Dispose() => _statement.Dispose();

    private void Check(int code)
    {
        if (code is not raw.SQLITE_OK)
        {
            throw SqliteFaults.Of(code, _path);
        }
    }
}
