using System.Text;
using OrleansSessions.Grains.Questions;

namespace OrleansSessions.Grains.Records;

/// <summary>What chunks hold of an answer.</summary>
internal sealed class ReadText
{
    private readonly StringBuilder _text = new();
    private readonly List<int> _ends = [];
    private readonly List<ChunkRange> _ranges = [];

    public int Length => _text.Length;

    public DateTimeOffset? FirstDeltaAt { get; private set; }

    /// <summary>Adds a chunk in its place. False if text before it is missing.</summary>
    public bool TryAdd(ChunkState chunk)
    {
        if (chunk.Start > Length)
        {
            return false;
        }

        CutTo(chunk.Start);
        _text.Append(chunk.Text);
        DeltaLengths.Read(chunk.Deltas, _ends);
        FirstDeltaAt ??= chunk.FirstDeltaAt;
        return true;
    }

    /// <summary>Drops what is after a length at which a delta ends.</summary>
    public void CutTo(int length)
    {
        if (length < Length)
        {
            _text.Length = length;
            _ends.RemoveAll(end => end > length);
        }
    }

    public void Add(ChunkRange range) => _ranges.Add(range);

    /// <summary>Gives a question this text, up to a length at which a delta ends.</summary>
    public void CopyTo(Question question, int length)
    {
        var deltas = 0;
        while (deltas < _ends.Count && _ends[deltas] <= length)
        {
            question.DeltaEnds.Add(_ends[deltas++]);
        }

        question.Answer = _text.ToString(0, length);
        question.Saved = SavedText.Of(_ranges, length, deltas);
        question.FirstDeltaAt ??= FirstDeltaAt;
    }
}
