using OrleansSessions.Log;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>Consecutive deltas that wait to be sent. They leave as one frame.</summary>
internal sealed class DeltaRun(LogEvent first, bool isReplay)
{
    // A joined text: its string without the characters, and the place in the list.
    private const int JoinedBytes = 32;

    private List<string>? _more;
    private int _count = 1;
    private int _chars = first.Text.Length;
    private long _lastSeq = first.Seq;

    /// <summary>The memory of the texts.</summary>
    public int Bytes => (_chars * sizeof(char)) + ((_count - 1) * JoinedBytes);

    /// <summary>
    /// Adds the delta if it is the next one of the same answer, both or neither are replays, and the limit allows it. Returns false otherwise.
    /// </summary>
    public bool TryJoin(LogEvent next, bool isNextReplay, int maxChars)
    {
        var follows = next.Seq == _lastSeq + 1 && next.Index == first.Index + _count && next.QuestionId == first.QuestionId;
        if (!follows || isNextReplay != isReplay || _chars + next.Text.Length > maxChars)
        {
            return false;
        }

        (_more ??= []).Add(next.Text);
        _count++;
        _lastSeq = next.Seq;
        _chars += next.Text.Length;
        return true;
    }

    public DeltaMessage ToMessage() =>
        new(_lastSeq, first.QuestionId, first.Index, _count, Text(), isReplay);

    private string Text() => _more is null ? first.Text : string.Concat(_more.Prepend(first.Text));
}
