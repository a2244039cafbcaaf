namespace OrleansSessions.Scopes;

/// <summary>A session in the index of its scope. It is a part of stored state.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.ListedSession")]
public sealed record ListedSession
{
    /// <summary>The maximum length of <see cref="LastQuestion"/>: 120 UTF-16 code units, about two lines on a phone.</summary>
    public const int MaxQuestionLength = 120;

    /// <summary>The id that the client chose.</summary>
    [Id(0)]
    public required string SessionId { get; init; }

    /// <summary>The start of the session's last question.</summary>
    [Id(1)]
    public required string LastQuestion { get; init; }

    /// <summary>When that question was asked.</summary>
    [Id(2)]
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When the session was last read, if that is later and has made it live on; null otherwise. It is not in the list that people see.</summary>
    [Id(3)]
    public DateTimeOffset? UsedAt { get; init; }

    /// <summary>The later of both times. The session is forgotten some time after it.</summary>
    internal DateTimeOffset LastUse => UsedAt > UpdatedAt ? UsedAt.Value : UpdatedAt;

    /// <summary>Returns an entry with the start of a question. The cut never splits a surrogate pair.</summary>
    public static ListedSession Of(string sessionId, string question, DateTimeOffset askedAt) =>
        new() { SessionId = sessionId, LastQuestion = Start(question), UpdatedAt = askedAt };

    /// <summary>Without the text: Orleans writes messages to its log.</summary>
    public override string ToString() => $"{nameof(ListedSession)} {SessionId}";

    private static string Start(string question) => question.Length <= MaxQuestionLength
        ? question
        : question[..(char.IsHighSurrogate(question[MaxQuestionLength - 1]) ? MaxQuestionLength - 1 : MaxQuestionLength)];
}
