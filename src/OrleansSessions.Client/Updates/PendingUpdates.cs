using System.Text;

namespace OrleansSessions.Client.Updates;

/// <summary>
/// The updates of one question that a reader has not read yet. Texts are joined, and a restart drops them, so there are at most four updates, with no more
/// text than the answer has.
/// </summary>
internal sealed class PendingUpdates
{
    private readonly StringBuilder _text = new();
    private AnswerAccepted? _accepted;
    private AnswerRestarted? _restarted;
    private (AnswerPosition Position, string? Question) _at;
    private AnswerUpdate? _last;
    private bool _hadText;
    private long _bytesToSkip;

    public PendingUpdates()
    {
    }

    /// <summary>For a reader that has the text up to a position: that much is not delivered again, unless the answer restarts.</summary>
    public PendingUpdates(long bytesToSkip)
    {
        _bytesToSkip = bytesToSkip;
        _hadText = bytesToSkip > 0;
    }

    public bool IsEmpty => _accepted is null && _restarted is null && _text.Length == 0 && _last is null;

    /// <summary>True while the reader has text that this client does not have.</summary>
    public bool IsAhead => _bytesToSkip > 0;

    public void Accept(AnswerAccepted accepted) => _accepted = accepted;

    /// <summary>Adds text at the end of the answer.</summary>
    /// <param name="position">The position after it.</param>
    public void Append(ReadOnlySpan<char> text, AnswerPosition position, string? question)
    {
        _at = (position, question);
        text = text[Skip(text)..];
        if (text.Length > 0)
        {
            _text.Append(text);
            _hadText = true;
        }
    }

    /// <summary>Withdraws all text.</summary>
    public void Restart(AnswerRestarted restarted)
    {
        _text.Clear();
        _bytesToSkip = 0;
        if (_hadText)
        {
            _restarted = restarted;
            _hadText = false;
        }
    }

    /// <summary>Adds the last update of the question.</summary>
    public void Finish(AnswerUpdate last) => _last = last;

    /// <summary>Takes the next update, or returns null.</summary>
    public AnswerUpdate? Take()
    {
        if (TakeOut(ref _accepted) is { } accepted)
        {
            return accepted;
        }

        if (TakeOut(ref _restarted) is { } restarted)
        {
            return restarted;
        }

        if (_text.Length > 0)
        {
            var text = new AnswerText(_text.ToString()) { Position = _at.Position, Question = _at.Question };
            _text.Clear();
            return text;
        }

        return TakeOut(ref _last);
    }

    private static T? TakeOut<T>(ref T? slot) where T : class
    {
        var value = slot;
        slot = null;
        return value;
    }

    /// <summary>The number of characters that the reader has already.</summary>
    private int Skip(ReadOnlySpan<char> text)
    {
        var chars = 0;
        while (_bytesToSkip > 0 && chars < text.Length)
        {
            Rune.DecodeFromUtf16(text[chars..], out var rune, out var consumed);
            _bytesToSkip -= rune.Utf8SequenceLength;
            chars += consumed;
        }

        return chars;
    }
}
