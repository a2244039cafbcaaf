namespace OrleansSessions.Benchmarks.Load;

/// <summary>The pieces of an answer, joined in one reused buffer.</summary>
internal sealed class AnswerText
{
    private byte[] _bytes = new byte[512];
    private int _length;

    public void Clear() => _length = 0;

    public void Append(ReadOnlySpan<byte> piece)
    {
        if (_length + piece.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, (_length + piece.Length) * 2);
        }

        piece.CopyTo(_bytes.AsSpan(_length));
        _length += piece.Length;
    }

    /// <exception cref="WrongAnswerException">The text is not the expected one.</exception>
    public void MustBe(ReadOnlySpan<byte> question)
    {
        var text = _bytes.AsSpan(0, _length);
        if (!text.SequenceEqual(question))
        {
            throw WrongAnswerException.For(question, text);
        }
    }
}
