using Orleans.Storage;

namespace OrleansSessions.Grains.Records;

/// <summary>Writes the pages of one session, each once.</summary>
/// <param name="writer">Names this activation, see <see cref="SessionRecord.Writer"/>.</param>
internal sealed class PageWriter(SessionSlots slots, long writer)
{
    private StoredSlot<PageState>? _slot;
    private int _number = -1;
    private long _replacedWriter;
    private bool _isUncertain;

    /// <summary>
    /// Reads what is in the place of the next page. An earlier activation may have written it before it was lost: no record names it, and it is overwritten.
    /// </summary>
    public async Task PrepareAsync(int number)
    {
        (_slot, _number) = (slots.Page(number), number);
        _replacedWriter = (await _slot.ReadAsync())?.Writer ?? 0;
    }

    /// <summary>Writes a page. Call it only after a record was written here since the last call: that shows that the session is still this activation's.</summary>
    /// <exception cref="InconsistentStateException">An earlier activation of this session has written the page meanwhile. The next call replaces it.</exception>
    public async Task WriteAsync(int number, PageState page)
    {
        if (_slot is null || number != _number)
        {
            (_slot, _number, _isUncertain, _replacedWriter) = (slots.Page(number), number, false, 0);
        }

        page.Writer = writer;
        if (_isUncertain && await _slot.ReadAsync() is { } there && there.Born == page.Born && there.Writer != writer && there.Writer != _replacedWriter)
        {
            (_replacedWriter, _isUncertain) = (there.Writer, false);
            throw new InconsistentStateException("The page was written by another activation.");
        }

        _isUncertain = true;
        try
        {
            await _slot.WriteAsync(page);
        }
        catch (InconsistentStateException)
        {
            if (await _slot.ReadAsync() is { } found && found.Born == page.Born)
            {
                (_replacedWriter, _isUncertain) = (found.Writer, false);
                throw;
            }

            // Left there by an earlier session with the same key.
            await _slot.WriteAsync(page);
        }

        _isUncertain = false;
    }
}
