using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Records;

/// <summary>One question, open or ended, in a <see cref="SessionRecord"/> or a <see cref="PageState"/>.</summary>
[GenerateSerializer, Alias("OrleansSessions.QuestionState")]
internal sealed class QuestionState
{
    [Id(0)]
    public string Id { get; set; } = "";

    [Id(1)]
    public string Text { get; set; } = "";

    [Id(2)]
    public string? MetadataJson { get; set; }

    [Id(3)]
    public string? OptionsJson { get; set; }

    [Id(4)]
    public string? User { get; set; }

    [Id(5)]
    public string? TraceParent { get; set; }

    [Id(6)]
    public DateTimeOffset AskedAt { get; set; }

    [Id(7)]
    public DateTimeOffset StartedAt { get; set; }

    [Id(8)]
    public QuestionStatus Status { get; set; }

    [Id(9)]
    public int Attempt { get; set; }

    /// <summary>The life of the log that the next two belong to.</summary>
    [Id(10)]
    public long Epoch { get; set; }

    [Id(11)]
    public long AcceptedSeq { get; set; }

    [Id(12)]
    public long DoneSeq { get; set; }

    [Id(13)]
    public int AcceptedPosition { get; set; }

    [Id(14)]
    public QuestionEnd? End { get; set; }

    /// <summary>The responder that it was asked for.</summary>
    [Id(15)]
    public string Responder { get; set; } = "";

    [Id(16)]
    public bool IsAnsweredFromOutside { get; set; }

    /// <summary>The answer after what <see cref="Chunks"/> hold of it.</summary>
    [Id(17)]
    public string Tail { get; set; } = "";

    /// <summary>The lengths of the deltas of <see cref="Tail"/>, as <see cref="DeltaLengths"/> writes them.</summary>
    [Id(18)]
    public byte[] TailDeltas { get; set; } = [];

    /// <summary>The chunks that hold the beginning of the answer, in their order.</summary>
    [Id(19)]
    public List<ChunkRangeState>? Chunks { get; set; }

    /// <summary>How much of the answer the chunks hold, in UTF-16 units. The last one can hold more.</summary>
    [Id(20)]
    public int SavedLength { get; set; }

    [Id(21)]
    public int FruitlessAttempts { get; set; }

    /// <summary>The length of the answer when this attempt began, or the epoch in which it ended, in UTF-16 units.</summary>
    [Id(22)]
    public int LengthBefore { get; set; }

    [Id(23)]
    public DateTimeOffset? FirstDeltaAt { get; set; }

    /// <summary>The socket gateway that asked, as the next two for a question that is open: they decide whether someone is left to get its answer.</summary>
    [Id(24)]
    public string? Gateway { get; set; }

    [Id(25)]
    public string? Connection { get; set; }

    [Id(26)]
    public bool IsOrphanable { get; set; }

    /// <summary>True where its process has stopped in order, so that the attempt that it ended counts as none.</summary>
    [Id(27)]
    public bool IsHandedOver { get; set; }

    /// <summary>How many attempts ended in that way before.</summary>
    [Id(28)]
    public int HandOvers { get; set; }

    /// <summary>About how much memory it takes, in bytes.</summary>
    public long Weight => (2L * (Id.Length + Text.Length + Tail.Length + ForResponderLength + EndLength)) + TailDeltas.Length + 256;

    private int ForResponderLength => (MetadataJson?.Length ?? 0) + (OptionsJson?.Length ?? 0) + (User?.Length ?? 0) + (TraceParent?.Length ?? 0);

    private int EndLength => (End?.Reason?.Length ?? 0) + (End?.Message?.Length ?? 0);

    public static QuestionState From(Question question)
    {
        var (savedLength, savedDeltas) = question.Saved is { } saved ? (saved.Length, saved.Deltas) : (0, 0);
        return new()
        {
            Id = question.Id,
            Text = question.Text,
            MetadataJson = question.MetadataJson,
            OptionsJson = question.OptionsJson,
            User = question.User,
            TraceParent = question.TraceParent,
            AskedAt = question.AskedAt,
            StartedAt = question.StartedAt,
            Status = question.Status,
            Attempt = question.Attempt,
            Epoch = question.Epoch,
            AcceptedSeq = question.AcceptedSeq,
            DoneSeq = question.DoneSeq,
            AcceptedPosition = question.AcceptedPosition,
            End = question.End,
            Responder = question.Responder,
            IsAnsweredFromOutside = question.IsAnsweredFromOutside,
            Tail = question.TextBetween(savedLength, question.Length),
            TailDeltas = DeltaLengths.Write(question.DeltaEnds, savedDeltas, question.Deltas),
            Chunks = question.Saved?.Ranges.Select(ChunkRangeState.From).ToList(),
            SavedLength = savedLength,
            FruitlessAttempts = question.FruitlessAttempts,
            LengthBefore = question.LengthBefore,
            IsHandedOver = question.IsHandedOver,
            HandOvers = question.HandOvers,
            FirstDeltaAt = question.FirstDeltaAt,
            Gateway = question.IsFinal ? null : question.Gateway,
            Connection = question.IsFinal ? null : question.Connection,
            IsOrphanable = !question.IsFinal && question.IsOrphanable,
        };
    }

    /// <summary>
    /// The question with its answer: what its chunks hold, and <see cref="Tail"/>. Where the chunks of an open question hold the tail as well, they are all
    /// of it.
    /// </summary>
    /// <param name="saved">What the chunks hold; null where there are none.</param>
    public Question ToQuestion(ReadText? saved)
    {
        var question = new Question(Id, Text, AskedAt)
        {
            MetadataJson = MetadataJson,
            OptionsJson = OptionsJson,
            User = User,
            TraceParent = TraceParent,
            StartedAt = StartedAt,
            AttemptStartedAt = StartedAt,
            Status = Status,
            Attempt = Attempt,
            Epoch = Epoch,
            AcceptedSeq = AcceptedSeq,
            DoneSeq = DoneSeq,
            AcceptedPosition = AcceptedPosition,
            End = End,
            Responder = Responder,
            IsAnsweredFromOutside = IsAnsweredFromOutside,
            FruitlessAttempts = FruitlessAttempts,
            LengthBefore = LengthBefore,
            IsHandedOver = IsHandedOver,
            HandOvers = HandOvers,
            FirstDeltaAt = FirstDeltaAt,
            Gateway = Gateway,
            Connection = Connection,
            IsOrphanable = IsOrphanable,
        };
        var hasTail = saved is null || Status.IsFinal() || saved.Length < SavedLength + Tail.Length;
        saved?.CopyTo(question, hasTail ? SavedLength : saved.Length);
        if (hasTail)
        {
            DeltaLengths.Read(TailDeltas, question.DeltaEnds);
            question.Answer += Tail;
        }

        question.CountAnswer();
        return question;
    }
}

/// <summary>Chunks that follow each other, see <see cref="ChunkRange"/>.</summary>
[GenerateSerializer, Alias("OrleansSessions.ChunkRangeState")]
internal sealed class ChunkRangeState
{
    [Id(0)]
    public long Epoch { get; set; }

    [Id(1)]
    public int First { get; set; }

    [Id(2)]
    public int Count { get; set; }

    public static ChunkRangeState From(ChunkRange range) => new() { Epoch = range.Epoch, First = range.First, Count = range.Count };

    public ChunkRange ToRange() => new(Epoch, First, Count);
}
