using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>A snapshot that waits to be sent. It keeps a reference to the answer, and copies the text of a frame only when that frame is sent.</summary>
internal sealed class SnapshotFrames(QuestionDescription question, long epoch)
{
    // At most 96 KiB of UTF-8, and 192 KiB of JSON where every character is escaped.
    private const int PartChars = 32 * 1024;

    private readonly string _epoch = Epochs.ToWire(epoch);
    private readonly int _parts = Math.Max(1, (question.Text.Length + PartChars - 1) / PartChars);
    private int _taken;

    /// <summary>The memory of the texts, which is the same until the last frame is taken.</summary>
    public int Bytes { get; } = (question.Text.Length + question.Question.Length + (question.End?.TextChars ?? 0)) * sizeof(char);

    public bool IsEmpty => _taken == _parts;

    public SnapshotMessage Take()
    {
        var start = BorderOf(_taken);
        var text = question.Text[start..BorderOf(++_taken)];
        return new()
        {
            Epoch = _epoch,
            QuestionId = question.QuestionId,
            Question = question.Question,
            Text = text,
            Deltas = question.Deltas,
            Bytes = question.Bytes,
            Status = question.Status,
            Part = _taken,
            Parts = _parts,
            End = question.End,
        };
    }

    /// <summary>Returns where a part begins, which is never inside a surrogate pair.</summary>
    private int BorderOf(int part)
    {
        var border = Math.Min(part * PartChars, question.Text.Length);
        return border > 0 && border < question.Text.Length && char.IsLowSurrogate(question.Text[border]) ? border - 1 : border;
    }
}
