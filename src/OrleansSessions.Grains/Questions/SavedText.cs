namespace OrleansSessions.Grains.Questions;

/// <summary>
/// Where the beginning of an answer is in the store: in chunks that were written while the answer grew. The last chunk can hold more than is known here, because
/// a process can be lost between a write and its reply. So whoever reads it takes <see cref="Length"/> units and no more.
/// </summary>
internal sealed class SavedText
{
    private readonly List<ChunkRange> _ranges = [];

    /// <summary>The chunks in their order. Each epoch in which the answer was saved has one range.</summary>
    public IReadOnlyList<ChunkRange> Ranges => _ranges;

    /// <summary>How much of the answer is known to be stored, in UTF-16 units. It ends with a whole delta.</summary>
    public int Length { get; private set; }

    /// <summary>How many deltas that is.</summary>
    public int Deltas { get; private set; }

    public static SavedText Of(IEnumerable<ChunkRange> ranges, int length, int deltas)
    {
        var saved = new SavedText { Length = length, Deltas = deltas };
        saved._ranges.AddRange(ranges);
        return saved;
    }

    /// <summary>A chunk is about to be written. From now on it can be in the store.</summary>
    public void Begin(long epoch, int number)
    {
        if (_ranges.Count > 0 && _ranges[^1] is var last && last.Epoch == epoch && last.First + last.Count == number)
        {
            _ranges[^1] = last with { Count = last.Count + 1 };
        }
        else
        {
            _ranges.Add(new(epoch, number, 1));
        }
    }

    /// <summary>The answer is stored up to here.</summary>
    public void Reach(int length, int deltas) => (Length, Deltas) = (length, deltas);
}

/// <summary>Chunks that follow each other. The epoch is part of their keys, so that a process that hung writes where no one reads.</summary>
internal readonly record struct ChunkRange(long Epoch, int First, int Count);
