using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace OrleansSessions.Benchmarks.Load;

/// <summary>
/// A question with a number that changes each time, so that the answer to the previous question is not accepted for this one.
/// The frame is written once; asking again only writes eight digits.
/// </summary>
internal sealed class NumberedQuestion
{
    private const string Digits = "00000000";
    private static readonly StandardFormat EightDigits = new('D', 8);
    private static readonly string[] Vocabulary =
        ["the", "answer", "streams", "back", "word", "by", "word", "and", "nothing", "of", "it", "is", "lost", "on", "the", "way"];

    private readonly byte[] _frame;
    private readonly byte[] _text;
    private readonly int _digitsInFrame;
    private int _number;

    /// <param name="before">The part of the frame before the text of the question.</param>
    /// <param name="after">The part of the frame after the text of the question.</param>
    /// <param name="words">The number of words in the question. The first word is the number.</param>
    public NumberedQuestion(string before, int words, string after)
    {
        var rest = Enumerable.Range(0, words - 1).Select(word => Vocabulary[word % Vocabulary.Length]);
        var text = string.Join(' ', rest.Prepend(Digits));
        _text = Encoding.UTF8.GetBytes(text);
        _frame = Encoding.UTF8.GetBytes(before + text + after);
        _digitsInFrame = Encoding.UTF8.GetByteCount(before);
    }

    /// <summary>The text of the last question: ASCII without characters that JSON escapes.</summary>
    public ReadOnlySpan<byte> Text => _text;

    /// <summary>Returns the frame that asks the question with the next number.</summary>
    public ReadOnlyMemory<byte> Next()
    {
        _number = (_number + 1) % 100_000_000;
        Utf8Formatter.TryFormat(_number, _text, out _, EightDigits);
        Utf8Formatter.TryFormat(_number, _frame.AsSpan(_digitsInFrame), out _, EightDigits);
        return _frame;
    }
}
