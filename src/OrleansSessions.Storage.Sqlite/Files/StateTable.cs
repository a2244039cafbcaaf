using SQLitePCL;

namespace OrleansSessions.Storage.Sqlite.Files;

/// <summary>
/// The table of the states. Each operation decides before it changes anything, so a conflict fails itself and not the transaction around it.
/// </summary>
internal sealed class StateTable : IDisposable
{
    /// <summary>The time of a write is rounded up to this, so that most writes leave the index on it as it is.</summary>
    private static readonly TimeSpan WrittenStep = TimeSpan.FromMinutes(1);

    private const string WhereKey = "WHERE grain = ?1 AND name = ?2";

    private readonly TimeProvider _time;
    private readonly TimeSpan? _expiry;
    private readonly Statement _read;
    private readonly Statement _readETag;
    private readonly Statement _insert;
    private readonly Statement _update;
    private readonly Statement _renew;
    private readonly Statement _delete;
    private readonly Statement _deleteExpired;
    private long _lastETag;

    public StateTable(sqlite3 database, string path, TimeProvider time, TimeSpan? expiry)
    {
        (_time, _expiry) = (time, expiry);

        // An ETag is not given a second time, so a state that was cleared and written again is never taken for the earlier one.
        _lastETag = time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        _read = new(database, path, $"SELECT etag, state FROM states {WhereKey} AND written >= ?3");
        _readETag = new(database, path, $"SELECT etag FROM states {WhereKey} AND written >= ?3");
        _insert = new(
            database,
            path,
            "INSERT INTO states (grain, name, etag, written, state) VALUES (?1, ?2, ?3, ?4, ?5) "
                + "ON CONFLICT DO UPDATE SET etag = ?3, written = ?4, state = ?5 WHERE written < ?6");
        _update = new(database, path, $"UPDATE states SET etag = ?3, state = ?4 {WhereKey} AND etag = ?5 AND written = ?6");
        _renew = new(database, path, $"UPDATE states SET etag = ?3, state = ?4, written = ?6 {WhereKey} AND etag = ?5 AND written >= ?7");
        _delete = new(database, path, $"DELETE FROM states {WhereKey} AND etag = ?3 AND written >= ?4");
        _deleteExpired = new(database, path, "DELETE FROM states WHERE id IN (SELECT id FROM states WHERE written < ?1 LIMIT ?2)");
    }

    /// <summary>The SQL that creates the table.</summary>
    public const string Schema =
        """
        CREATE TABLE states (
          id INTEGER PRIMARY KEY, grain BLOB NOT NULL, name TEXT NOT NULL, etag INTEGER NOT NULL, written INTEGER NOT NULL, state BLOB NOT NULL,
          UNIQUE (grain, name)) STRICT;
        CREATE INDEX states_by_written ON states (written);
        """;

    public StoredState? Read(StateKey key)
    {
        _read.Bind(key);
        _read.Bind(3, Oldest);
        StoredState? found = _read.Step() ? new StoredState(_read.Number(0), _read.Blob(1)) : null;
        _read.Reset();
        return found;
    }

    /// <param name="etag">The ETag of the state that is replaced; 0 if there must be none.</param>
    public StateOutcome Write(StateKey key, long etag, ReadOnlyMemory<byte> state)
    {
        var next = _lastETag + 1;
        if (etag == 0 ? !TryInsert(key, next, state) : !TryUpdate(key, etag, next, state))
        {
            return StateOutcome.Conflict(ReadETag(key));
        }

        _lastETag = next;
        return StateOutcome.Done(next);
    }

    /// <param name="etag">The ETag of the state that is cleared; 0 if there must be none.</param>
    public StateOutcome Clear(StateKey key, long etag)
    {
        if (etag != 0)
        {
            _delete.Bind(key);
            _delete.Bind(3, etag);
            _delete.Bind(4, Oldest);
            if (_delete.Execute() == 1)
            {
                return StateOutcome.Done(0);
            }
        }

        // Nothing to clear is what was wanted, whatever the caller has read before.
        return ReadETag(key) is var stored and not 0 ? StateOutcome.Conflict(stored) : StateOutcome.Done(0);
    }

    /// <summary>Deletes states that have expired.</summary>
    /// <returns>How many; fewer than <paramref name="limit"/> if there are no more.</returns>
    public int DeleteExpired(int limit)
    {
        if (_expiry is null)
        {
            return 0;
        }

        _deleteExpired.Bind(1, Oldest);
        _deleteExpired.Bind(2, limit);
        return _deleteExpired.Execute();
    }

    public void Dispose()
    {
        foreach (var statement in new[] { _read, _readETag, _insert, _update, _renew, _delete, _deleteExpired })
        {
            statement.Dispose();
        }
    }

    /// <summary>The time of a write now, in seconds since 1970.</summary>
    private long Written
    {
        get
        {
            var step = (long)WrittenStep.TotalSeconds;
            return (_time.GetUtcNow().ToUnixTimeSeconds() / step * step) + step;
        }
    }

    /// <summary>What was written before this has expired.</summary>
    private long Oldest => _expiry is { } expiry ? (_time.GetUtcNow() - expiry).ToUnixTimeSeconds() : long.MinValue;

    private bool TryInsert(StateKey key, long etag, ReadOnlyMemory<byte> state)
    {
        _insert.Bind(key);
        _insert.Bind(3, etag);
        _insert.Bind(4, Written);
        _insert.Bind(5, state);
        _insert.Bind(6, Oldest);
        return _insert.Execute() == 1;
    }

    private bool TryUpdate(StateKey key, long etag, long next, ReadOnlyMemory<byte> state)
    {
        var written = Written;
        _update.Bind(key);
        _update.Bind(3, next);
        _update.Bind(4, state);
        _update.Bind(5, etag);
        _update.Bind(6, written);
        if (_update.Execute() == 1)
        {
            return true;
        }

        _renew.Bind(key);
        _renew.Bind(3, next);
        _renew.Bind(4, state);
        _renew.Bind(5, etag);
        _renew.Bind(6, written);
        _renew.Bind(7, Oldest);
        return _renew.Execute() == 1;
    }

    private long ReadETag(StateKey key)
    {
        _readETag.Bind(key);
        _readETag.Bind(3, Oldest);
        var etag = _readETag.Step() ? _readETag.Number(0) : 0;
        _readETag.Reset();
        return etag;
    }
}
