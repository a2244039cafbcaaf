using OrleansSessions.Protocol;

namespace OrleansSessions.Responders;

/// <summary>A piece of an answer: text, a sign of life, what the answer has used so far, or the signal that it stops before its end.</summary>
public readonly record struct AnswerPiece
{
    private AnswerPiece(string text, string? incompleteReason, AnswerUsage? usage)
    {
        Text = text;
        IncompleteReason = incompleteReason;
        Usage = usage;
    }

    /// <summary>
    /// Only shows that the responder is alive, for example while a model thinks. Like every piece it starts the silence timer again, and ends the wait for
    /// the first sign of life. Cheap: it reaches no client.
    /// </summary>
    public static AnswerPiece Alive { get; } = new("", null, null);

    /// <summary>The text; empty if this piece has none.</summary>
    public string Text { get; }

    /// <summary>The reason if the answer stops at a limit, otherwise null. The question then ends as <c>incomplete</c> with this reason.</summary>
    public string? IncompleteReason { get; }

    /// <summary>What the answer has used so far, or null if this piece does not say. A later value replaces an earlier one.</summary>
    public AnswerUsage? Usage { get; }

    public static AnswerPiece Of(string text) => new(text, null, null);

    /// <summary>Reports what the answer has used so far. It counts even if the question is cancelled or fails later.</summary>
    public static AnswerPiece Used(AnswerUsage usage) => new("", null, usage);

    /// <summary>Ends the answer at a limit, for example <see cref="DoneReasons.Length"/>. Pieces after it are not read.</summary>
    public static AnswerPiece Stop(string reason) => new("", reason, null);
}
