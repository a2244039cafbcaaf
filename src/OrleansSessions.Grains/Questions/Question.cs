using System.Text;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Questions;

/// <summary>One question and its answer, as its session holds them. Only <see cref="Session"/> changes it.</summary>
internal sealed class Question(string id, string text, DateTimeOffset askedAt)
{
    private StringBuilder? _growing;
    private string _answer = "";

    public string Id { get; } = id;

    public string Text { get; } = text;

    /// <summary>For the responder; null once the question has ended, when no one reads it any more.</summary>
    public string? MetadataJson { get; set; }

    public DateTimeOffset AskedAt { get; } = askedAt;

    /// <summary>When it left the queue, and its timers started.</summary>
    public DateTimeOffset OpenedAt { get; set; }

    public DateTimeOffset? FirstDeltaAt { get; set; }

    public DateTimeOffset LastDeltaAt { get; set; }

    public QuestionStatus Status { get; set; }

    /// <summary>Which attempt at an answer counts; writes of an older one are refused.</summary>
    public int Attempt { get; set; } = 1;

    public long AcceptedSeq { get; set; }

    public long DoneSeq { get; set; }

    /// <summary>Its place in the queue when it was accepted; 0 where it ran at once.</summary>
    public int AcceptedPosition { get; set; }

    public QuestionEnd? End { get; set; }

    /// <summary>The answer's length in UTF-8 bytes.</summary>
    public long Bytes { get; set; }

    /// <summary>Where each delta ends in the answer, in UTF-16 units; empty once the session has let go of the boundaries.</summary>
    public List<int> DeltaEnds { get; set; } = [];

    /// <summary>How many deltas the answer has; outlives <see cref="DeltaEnds"/>.</summary>
    public int Deltas { get; set; }

    /// <summary>The socket gateway and connection that asked, for orphans.</summary>
    public string? Gateway { get; init; }

    public string? Connection { get; init; }

    /// <summary>True for a basic socket's question without an id: no one else can ever ask for its answer.</summary>
    public bool IsOrphanable { get; init; }

    /// <summary>The name of the responder that it was asked for.</summary>
    public string Responder { get; init; } = "";

    /// <summary>True where its answer comes by HTTP or by a grain call, and only the total timer counts.</summary>
    public bool IsAnsweredFromOutside { get; init; }

    public bool IsConnectionGone { get; set; }

    /// <summary>The newest basic socket that opened since the one that asked was last heard from, or null.</summary>
    public string? OutrankedBy { get; set; }

    /// <summary>True once the session keeps it no longer; the log then lets go of its events.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>The question's length in UTF-8 bytes.</summary>
    public int TextBytes { get; } = Encoding.UTF8.GetByteCount(text);

    public bool IsFinal => Status.IsFinal();

    /// <summary>The answer so far, or all of it.</summary>
    public string Answer
    {
        get => _growing is null ? _answer : _growing.ToString();
        set => (_answer, _growing) = (value, null);
    }

    /// <summary>What an ended question counts for in <see cref="SessionsOptions.KeptBytes"/>: all of its text, in UTF-8 bytes.</summary>
    public long KeptBytes => Id.Length + TextBytes + Bytes + EndBytes;

    /// <summary>The length of its longest delta, in UTF-16 units.</summary>
    public int LongestDelta
    {
        get
        {
            var (longest, start) = (0, 0);
            foreach (var end in DeltaEnds)
            {
                (longest, start) = (Math.Max(longest, end - start), end);
            }

            return longest;
        }
    }

    private int EndBytes => End is { } end ? Encoding.UTF8.GetByteCount(end.Reason ?? "") + Encoding.UTF8.GetByteCount(end.Message ?? "") : 0;

    public void AppendDelta(ReadOnlySpan<char> text, int bytes)
    {
        _growing ??= new StringBuilder(_answer, Math.Max(64, text.Length));
        _growing.Append(text);
        DeltaEnds.Add(_growing.Length);
        Deltas++;
        Bytes += bytes;
    }

    /// <summary>Turns the growing answer into one string; nothing is appended after it.</summary>
    public void Seal()
    {
        if (_growing is not null)
        {
            Answer = _growing.ToString();
        }

        DeltaEnds.TrimExcess();
    }

    public string DeltaAt(int index)
    {
        var start = index == 0 ? 0 : DeltaEnds[index - 1];
        var length = DeltaEnds[index] - start;
        return _growing is null ? _answer.Substring(start, length) : _growing.ToString(start, length);
    }
}
