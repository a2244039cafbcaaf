using OrleansSessions.Protocol;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>What clients know of one question that was accepted.</summary>
/// <param name="text">Its text; null where it is not known which of several asks was accepted.</param>
internal sealed class Known(string id, string? text)
{
    public string Id { get; } = id;

    public string? Text { get; set; } = text;

    /// <summary>The epoch and number of its <c>accepted</c>, once seen.</summary>
    public (long Epoch, long Seq)? AcceptedAt { get; set; }

    /// <summary>The epoch and number of its <c>done</c>, once seen.</summary>
    public (long Epoch, long Seq)? DoneAt { get; set; }

    public QuestionEnd? End { get; set; }

    /// <summary>The answer after its end, once seen.</summary>
    public string? Answer { get; set; }

    /// <summary>When its <c>accepted</c> was seen, and when its end was: moments in the order in which clients saw things. 0 where that was not seen.</summary>
    public int SeenAs { get; set; }

    /// <inheritdoc cref="SeenAs"/>
    public int EndedAs { get; set; }

    /// <summary>How much of the answer cannot be lost any more, in UTF-16 units, and of which attempt.</summary>
    public (int Attempt, int Length) Saved { get; set; }

    /// <summary>True once the session was seen without it.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>When it was asked, once seen. Two questions with one id differ in it.</summary>
    public DateTimeOffset? AskedAt { get; set; }

    /// <summary>The first removal since of which no one knows how it ended; null where there was none.</summary>
    public int? Removal { get; set; }

    public long KeptBytes => Id.Length + Utf8(Text ?? "") + (End?.Bytes ?? 0) + Utf8(End?.Reason ?? "") + Utf8(End?.Message ?? "");

    /// <summary>True if it has certainly ended after another one.</summary>
    public bool IsAfter(Known other) =>
        other.End is not null && (other.EndedAs < SeenAs || (DoneAt is { } done && other.DoneAt is { } before && before.CompareTo(done) < 0));

    private static int Utf8(string text) => System.Text.Encoding.UTF8.GetByteCount(text);
}

/// <summary>Something that must hold did not.</summary>
internal sealed class BrokenException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Fails the case unless a condition holds.</summary>
    public static void Unless(bool condition, FormattableString message)
    {
        if (!condition)
        {
            throw new BrokenException(FormattableString.Invariant(message));
        }
    }
}
