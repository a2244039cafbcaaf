using Orleans.Storage;

namespace OrleansSessions.Grains.Records;

/// <summary>The names under which the parts of one session are stored.</summary>
/// <param name="forms">How ended questions are stored.</param>
internal sealed class SessionSlots(IGrainStorage storage, GrainId grain, QuestionForms forms)
{
    public QuestionForms Forms { get; } = forms;

    public StoredSlot<SessionRecord> Record() => new(storage, "record", grain);

    public StoredSlot<PageState> Page(int number) => new(storage, FormattableString.Invariant($"page.{number}"), grain);

    public StoredSlot<ChunkState> Chunk(long epoch, int number) => new(storage, FormattableString.Invariant($"chunk.{epoch}.{number}"), grain);
}
