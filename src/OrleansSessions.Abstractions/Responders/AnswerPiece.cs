using OrleansSessions.Protocol;

namespace OrleansSessions.Responders;

/// <summary>A piece of an answer: text, or the signal that the answer stops before its end.</summary>
public readonly record struct AnswerPiece
{
    private AnswerPiece(string text, string? incompleteReason)
    {
        Text = text;
        IncompleteReason = incompleteReason;
    }

    /// <summary>The text. An empty text only shows that the responder is alive; it resets no timer.</summary>
    public string Text { get; }

    /// <summary>The reason if the answer stops at a limit, otherwise null. The question then ends as <c>incomplete</c> with this reason.</summary>
    public string? IncompleteReason { get; }

    public static AnswerPiece Of(string text) => new(text, null);

    /// <summary>Ends the answer at a limit, for example <see cref="DoneReasons.Length"/>. Pieces after it are not read.</summary>
    public static AnswerPiece Stop(string reason) => new("", reason);
}
