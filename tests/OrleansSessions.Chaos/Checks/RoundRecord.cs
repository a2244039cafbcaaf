using System.Text.Json;
using OrleansSessions.Chaos.Transcripts;

namespace OrleansSessions.Chaos.Checks;

/// <summary>A question that was asked in a session, and what may become of it. Its answer is its own text.</summary>
/// <param name="Id">The id that was sent, or null if there was none.</param>
/// <param name="MayBeCancelled">True if someone tried to cancel it.</param>
/// <param name="MayBeReplaced">True if another question may have taken its place.</param>
internal sealed record ExpectedQuestion(string? Id, string Text, bool MayBeCancelled = false, bool MayBeReplaced = false);

/// <summary>All that is known about one session when its round is over.</summary>
/// <param name="History">The stored questions as HTTP returned them at the end, or null if it never did.</param>
internal sealed record RoundRecord(
    string Session, IReadOnlyList<ExpectedQuestion> Questions, IReadOnlyList<Transcript> Transcripts, JsonElement? History)
{
    public ExpectedQuestion? Question(string? id) => Questions.FirstOrDefault(question => question.Id is not null && question.Id == id);
}
