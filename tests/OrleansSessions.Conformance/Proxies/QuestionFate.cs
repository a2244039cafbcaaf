namespace OrleansSessions.Conformance.Proxies;

/// <summary>What becomes of a question on its way.</summary>
internal enum QuestionFate
{
    Arrives,

    /// <summary>The connection breaks before the server has it.</summary>
    IsLost,

    /// <summary>The connection breaks when the server has it, so the client does not learn that it was accepted.</summary>
    ArrivesUnanswered,
}
