using System.Text;
using OrleansSessions.Grains.Questions;

namespace OrleansSessions.Grains.Records;

/// <summary>The chunk that takes the text of an answer until it is full. Each write has all of its text, from its first delta.</summary>
/// <param name="question">The question whose answer it takes.</param>
/// <param name="maxBytes">How many UTF-8 bytes of text it takes. It takes one delta in any case.</param>
internal sealed class GrowingChunk(StoredSlot<ChunkState> slot, Question question, int maxBytes)
{
    private readonly int _start = question.Saved!.Length;
    private readonly int _firstDelta = question.Saved.Deltas;
    private int _bytes;
    private bool _isUncertain;

    /// <summary>True once a delta has not fitted any more.</summary>
    public bool IsFull { get; private set; }

    public bool IsOf(Question other) => ReferenceEquals(question, other);

    /// <summary>Takes as many deltas as fit, and writes them with those before. Does nothing where the next one does not fit.</summary>
    public async Task WriteAsync()
    {
        var saved = question.Saved!;
        var (end, bytes, isFull) = FindEnd(saved);
        if (end > saved.Deltas)
        {
            await WriteAsync(saved, end);
            _bytes = bytes;
        }

        // Not before the write: where that fails, this chunk must be written again, and no other may have its text.
        IsFull = isFull;
    }

    private async Task WriteAsync(SavedText saved, int end)
    {
        if (_isUncertain)
        {
            // The last write may have arrived: only the store knows its ETag.
            await slot.ReadAsync();
        }

        _isUncertain = true;
        var length = question.DeltaEnds[end - 1];
        await slot.WriteAsync(new()
        {
            QuestionId = question.Id,
            Attempt = question.Attempt,
            Text = question.TextBetween(_start, length),
            Deltas = DeltaLengths.Write(question.DeltaEnds, _firstDelta, end),
            FirstDeltaAt = question.FirstDeltaAt,
            Start = _start,
        });
        _isUncertain = false;
        saved.Reach(length, end);
    }

    private (int End, int Bytes, bool IsFull) FindEnd(SavedText saved)
    {
        var (end, bytes, start) = (saved.Deltas, _bytes, saved.Length);
        for (; end < question.Deltas; start = question.DeltaEnds[end++])
        {
            var more = Encoding.UTF8.GetByteCount(question.TextBetween(start, question.DeltaEnds[end]));
            if (end > _firstDelta && bytes + more > maxBytes)
            {
                return (end, bytes, true);
            }

            bytes += more;
        }

        return (end, bytes, false);
    }
}
