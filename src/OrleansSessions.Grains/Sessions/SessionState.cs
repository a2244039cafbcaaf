using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Sessions;

/// <summary>What of a session outlives its activation: in the grain storage, or parked in the silo's process.</summary>
[GenerateSerializer, Alias("OrleansSessions.SessionState")]
internal sealed class SessionState
{
    /// <summary>0 where nothing was ever stored.</summary>
    [Id(0)]
    public long Epoch { get; set; }

    [Id(1)]
    public long Head { get; set; }

    /// <summary>Ended ones oldest first, then the running one, then the queue in order.</summary>
    [Id(2)]
    public List<QuestionState> Questions { get; set; } = [];

    /// <summary>When the session was last used.</summary>
    [Id(3)]
    public DateTimeOffset UsedAt { get; set; }

    /// <summary>The newest log entries, as <see cref="SessionLog.SaveTail"/> writes them.</summary>
    [Id(4)]
    public int[] LogTail { get; set; } = [];

    /// <summary>About how much memory it takes, in bytes.</summary>
    public long Weight => 128 + (4L * LogTail.Length) + Questions.Sum(question => question.Weight);

    public bool HasOpenQuestion => Questions.Exists(question => !question.Status.IsFinal());

    /// <summary>The state of a session with these questions, in the order of <see cref="Questions"/>.</summary>
    public static SessionState From(SessionLog log, List<Question> questions, DateTimeOffset usedAt)
    {
        var last = questions.FindLast(question => question.IsFinal && question.Deltas > 0);
        bool HasBoundaries(Question question) => ReferenceEquals(question, last) && question.DeltaEnds.Count == question.Deltas;
        return new SessionState
        {
            Epoch = log.Epoch,
            Head = log.Head,
            UsedAt = usedAt,
            Questions = questions.ConvertAll(question => QuestionState.From(question, HasBoundaries(question))),
            LogTail = log.SaveTail(questions, HasBoundaries),
        };
    }
}

/// <summary>One question in a <see cref="SessionState"/>.</summary>
[GenerateSerializer, Alias("OrleansSessions.QuestionState")]
internal sealed class QuestionState
{
    [Id(0)]
    public required string Id { get; init; }

    [Id(1)]
    public required string Text { get; init; }

    [Id(2)]
    public string? MetadataJson { get; init; }

    [Id(3)]
    public DateTimeOffset AskedAt { get; init; }

    [Id(4)]
    public DateTimeOffset StartedAt { get; init; }

    [Id(5)]
    public QuestionStatus Status { get; init; }

    [Id(6)]
    public int Attempt { get; init; }

    [Id(7)]
    public long AcceptedSeq { get; init; }

    [Id(8)]
    public long DoneSeq { get; init; }

    [Id(9)]
    public int AcceptedPosition { get; init; }

    [Id(10)]
    public QuestionEnd? End { get; init; }

    [Id(11)]
    public string Answer { get; init; } = "";

    [Id(12)]
    public long Bytes { get; init; }

    [Id(13)]
    public int Deltas { get; init; }

    /// <summary>Only of the last answer.</summary>
    [Id(14)]
    public int[] DeltaEnds { get; init; } = [];

    /// <summary>The responder that it was asked for.</summary>
    [Id(15)]
    public string Responder { get; init; } = "";

    [Id(16)]
    public bool IsAnsweredFromOutside { get; init; }

    [Id(17)]
    public string? OptionsJson { get; init; }

    [Id(18)]
    public string? User { get; init; }

    [Id(19)]
    public string? TraceParent { get; init; }

    /// <summary>About how much memory it takes, in bytes.</summary>
    public long Weight => 2L * (Id.Length + Text.Length + Answer.Length + ForResponderLength + EndLength) + (4L * DeltaEnds.Length) + 256;

    private int ForResponderLength =>
        (MetadataJson?.Length ?? 0) + (OptionsJson?.Length ?? 0) + (User?.Length ?? 0) + (TraceParent?.Length ?? 0);

    private int EndLength => (End?.Reason?.Length ?? 0) + (End?.Message?.Length ?? 0);

    public static QuestionState From(Question question, bool withBoundaries) => new()
    {
        Id = question.Id,
        Text = question.Text,
        MetadataJson = question.MetadataJson,
        AskedAt = question.AskedAt,
        StartedAt = question.StartedAt,
        Status = question.Status,
        Attempt = question.Attempt,
        AcceptedSeq = question.AcceptedSeq,
        DoneSeq = question.DoneSeq,
        AcceptedPosition = question.AcceptedPosition,
        End = question.End,
        Answer = question.Answer,
        Bytes = question.Bytes,
        Deltas = question.Deltas,
        DeltaEnds = withBoundaries ? [.. question.DeltaEnds] : [],
        Responder = question.Responder,
        IsAnsweredFromOutside = question.IsAnsweredFromOutside,
        OptionsJson = question.OptionsJson,
        User = question.User,
        TraceParent = question.TraceParent,
    };

    public Question ToQuestion() => new(Id, Text, AskedAt)
    {
        MetadataJson = MetadataJson,
        StartedAt = StartedAt,
        Status = Status,
        Attempt = Attempt,
        AcceptedSeq = AcceptedSeq,
        DoneSeq = DoneSeq,
        AcceptedPosition = AcceptedPosition,
        End = End,
        Answer = Answer,
        Bytes = Bytes,
        Deltas = Deltas,
        DeltaEnds = [.. DeltaEnds],
        Responder = Responder,
        IsAnsweredFromOutside = IsAnsweredFromOutside,
        OptionsJson = OptionsJson,
        User = User,
        TraceParent = TraceParent,
    };
}
