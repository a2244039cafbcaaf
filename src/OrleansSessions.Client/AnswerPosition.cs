using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client;

/// <summary>
/// A place in an answer: what a reader has of it. <see cref="ToString"/> and <see cref="Parse"/> turn it into text and back, so that it can be stored and
/// used in another process.
/// </summary>
public sealed record AnswerPosition
{
    private const int Fields = 6;

    /// <summary>The session.</summary>
    public required string Session { get; init; }

    /// <summary>The question.</summary>
    public required string QuestionId { get; init; }

    /// <summary>The life of the session's log that the position belongs to; empty if none is known.</summary>
    public string Epoch { get; init; } = "";

    /// <summary>The number of the last event of the session's log.</summary>
    public long Seq { get; init; }

    /// <summary>The number of deltas of the answer.</summary>
    public int Deltas { get; init; }

    /// <summary>The length of the answer's text in UTF-8 bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Returns the position as one word without spaces.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Session}/{QuestionId}/{Epoch}/{Seq}/{Deltas}/{Bytes}");

    /// <summary>Reads what <see cref="ToString"/> returned.</summary>
    /// <exception cref="FormatException">The text is not a position.</exception>
    public static AnswerPosition Parse(string text) =>
        TryParse(text, out var position) ? position : throw new FormatException($"'{text}' is no position of an answer. AnswerPosition.ToString returns one.");

    /// <summary>Reads what <see cref="ToString"/> returned. Returns false if the text is not a position.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out AnswerPosition? position)
    {
        position = null;
        if (text?.Split('/') is not { Length: Fields } fields || !Identifiers.IsSessionId(fields[0]) || !Identifiers.IsQuestionId(fields[1])
            || !TryRead(fields[3], out var seq) || !TryRead(fields[4], out var deltas) || deltas > int.MaxValue || !TryRead(fields[5], out var bytes))
        {
            return false;
        }

        position = new() { Session = fields[0], QuestionId = fields[1], Epoch = fields[2], Seq = seq, Deltas = (int)deltas, Bytes = bytes };
        return true;
    }

    private static bool TryRead(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
