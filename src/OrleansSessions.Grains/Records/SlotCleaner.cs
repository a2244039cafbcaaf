using OrleansSessions.Grains.Questions;

namespace OrleansSessions.Grains.Records;

/// <summary>Removes from the store what no record names any more. Each call may be repeated. A fault leaves the rest where it is.</summary>
internal sealed class SlotCleaner(SessionSlots slots)
{
    /// <summary>True if a session has a page with this number.</summary>
    /// <param name="born">Which session, see <see cref="SessionRecord.Born"/>.</param>
    public async Task<bool> HasPageAsync(int number, long born) => await slots.Page(number).ReadAsync() is { } page && page.Born == born;

    /// <summary>
    /// Removes a page, and before it the chunks of its answers. One of another session with the same key stays: a process that hung in the middle of a removal
    /// can come back when that session has begun.
    /// </summary>
    /// <inheritdoc cref="HasPageAsync"/>
    public async Task RemovePageAsync(int number, long born)
    {
        var slot = slots.Page(number);
        if (await slot.ReadAsync() is { } page && page.Born == born)
        {
            if (page.HasChunks)
            {
                await RemoveChunksAsync(page.Ended.Select(slots.Forms.Read));
            }

            await slot.ClearAsync();
        }
    }

    /// <summary>Removes the chunks that these questions name.</summary>
    public async Task RemoveChunksAsync(IEnumerable<QuestionState> questions)
    {
        foreach (var range in questions.SelectMany(question => question.Chunks ?? []))
        {
            await RemoveChunksAsync(range.ToRange());
        }
    }

    public async Task RemoveChunksAsync(ChunkRange range)
    {
        for (var number = range.First; number < range.First + range.Count; number++)
        {
            var slot = slots.Chunk(range.Epoch, number);
            if (await slot.ReadAsync() is not null)
            {
                await slot.ClearAsync();
            }
        }
    }
}
