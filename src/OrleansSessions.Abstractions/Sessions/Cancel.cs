namespace OrleansSessions.Sessions;

/// <summary>Ends a question as <c>cancelled</c>.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.CancelRequest")]
public sealed record CancelRequest : SessionRequest
{
    /// <summary>Null: the running question.</summary>
    [Id(0)]
    public string? QuestionId { get; init; }
}

/// <summary>What became of a cancel.</summary>
public enum CancelOutcome
{
    /// <summary>It ends now: after <see cref="CancelReply.AfterSeq"/> only its terminal event follows.</summary>
    Cancelling = 0,

    /// <summary>It had ended before; see <see cref="CancelReply.Question"/>.</summary>
    AlreadyDone = 1,

    /// <summary>No such question, or no id was given and none is running.</summary>
    NotFound = 2,
}

/// <summary>Whether a question was cancelled, and if not, why.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.CancelReply")]
public sealed record CancelReply
{
    [Id(0)]
    public CancelOutcome Outcome { get; init; }

    /// <summary>The question that was meant; null where none was named and none is running.</summary>
    [Id(1)]
    public string? QuestionId { get; init; }

    [Id(2)]
    public long Epoch { get; init; }

    /// <summary>The head of the log just before the terminal event.</summary>
    [Id(3)]
    public long AfterSeq { get; init; }

    /// <summary>For a question that had ended: how.</summary>
    [Id(4)]
    public QuestionDescription? Question { get; init; }
}
