namespace OrleansSessions.Chaos.Checks;

/// <summary>An end of a question, as someone saw it.</summary>
/// <param name="Text">The answer, or null if the one who saw the end does not have it.</param>
internal sealed record QuestionOutcome(string Status, string? Reason, long? Bytes, string? Text)
{
    public override string ToString() => $"{Status}/{Reason ?? "-"} with {Bytes?.ToString() ?? "?"} bytes";
}
