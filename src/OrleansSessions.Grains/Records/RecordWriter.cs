using Orleans.Storage;

namespace OrleansSessions.Grains.Records;

/// <summary>
/// Writes the record of one session. After a write without a reply it reads the record back before it writes again, because only then it knows which ETag is
/// there, and whether the record still is that of this activation.
/// </summary>
/// <param name="writer">Names this activation: no other has it.</param>
internal sealed class RecordWriter(StoredSlot<SessionRecord> slot, long writer)
{
    private (long Writer, long Write) _last;
    private long _writes;
    private bool _isUncertain;

    /// <summary>True where a write has failed, and can have arrived all the same.</summary>
    public bool IsUncertain => _isUncertain;

    /// <summary>True if the session has a record, as far as is known here.</summary>
    public bool IsThere => slot.IsThere;

    public async Task<SessionRecord?> ReadAsync()
    {
        var record = await slot.ReadAsync();
        _last = Stamp(record);
        return record;
    }

    /// <exception cref="InconsistentStateException">Another activation has written the record, or it has expired. This one must write nothing more.</exception>
    public async Task WriteAsync(SessionRecord record)
    {
        await FindOutAsync();
        (record.Writer, record.Write) = (writer, ++_writes);
        _isUncertain = true;
        await slot.WriteAsync(record);
        (_isUncertain, _last) = (false, Stamp(record));
    }

    /// <inheritdoc cref="WriteAsync"/>
    public async Task ClearAsync()
    {
        await FindOutAsync();
        if (slot.IsThere)
        {
            _isUncertain = true;
            await slot.ClearAsync();
        }

        (_isUncertain, _last) = (false, default);
    }

    private static (long Writer, long Write) Stamp(SessionRecord? record) => record is null ? default : (record.Writer, record.Write);

    private async Task FindOutAsync()
    {
        if (!_isUncertain)
        {
            return;
        }

        // Either the last write that is known to have arrived, or one of those after it: they are all this activation's own.
        var found = Stamp(await slot.ReadAsync());
        if (found != _last && found.Writer != writer)
        {
            throw new InconsistentStateException("The record of the session was written by another activation, or has expired.");
        }

        (_isUncertain, _last) = (false, found);
    }
}
