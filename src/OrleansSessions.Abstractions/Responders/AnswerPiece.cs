using OrleansSessions.Protocol;

namespace OrleansSessions.Responders;

/// <summary>A piece of an answer: some text, or the word that it stops here, short of its end.</summary>
public readonly record struct AnswerPiece
{
    private AnswerPiece(string text, string? incompleteReason)
    {
        Text = text;
        IncompleteReason = incompleteReason;
    }

    /// <summary>The text; may be empty, which only shows that the responder is alive and resets no timer.</summary>
    public string Text { get; }

    /// <summary>Not null where the answer stops at a limit: the question ends <c>incomplete</c> with this reason.</summary>
    public string? IncompleteReason { get; }

    /// <summary>Some text of the answer.</summary>
    public static AnswerPiece Of(string text) => new(text, null);

    /// <summary>The answer stops here at a limit, <see cref="DoneReasons.Length"/> say. Nothing after it is read.</summary>
    public static AnswerPiece Stop(string reason) => new("", reason);
}
