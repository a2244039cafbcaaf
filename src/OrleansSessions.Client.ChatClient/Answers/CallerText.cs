namespace OrleansSessions.Client.ChatClient.Answers;

/// <summary>
/// The text that the caller of an enumeration has. A chat client cannot withdraw text, so where an answer begins again, what the caller has is compared with
/// the beginning of the new text and is not returned a second time.
/// </summary>
/// <param name="given">What the caller has already.</param>
internal sealed class CallerText(TextPrefix given)
{
    private TextPrefix _repeated;

    /// <summary>What the caller has.</summary>
    public TextPrefix Given { get; private set; } = given;

    /// <summary>True while the text that was withdrawn has not come again in full.</summary>
    public bool IsBehind { get; private set; }

    /// <summary>The answer begins again.</summary>
    public void Restart() => (_repeated, IsBehind) = (TextPrefix.Empty, Given.Bytes > 0);

    /// <summary>Returns what of a piece is new to the caller, or null if the answer is another one.</summary>
    public string? Take(string piece)
    {
        var rest = piece.AsSpan();
        while (IsBehind && rest.Length > 0)
        {
            System.Text.Rune.DecodeFromUtf16(rest, out var rune, out var length);
            _repeated = _repeated.Append(rune);
            rest = rest[length..];
            if (_repeated.Bytes >= Given.Bytes)
            {
                if (_repeated != Given)
                {
                    return null;
                }

                IsBehind = false;
            }
        }

        Given = Given.Append(rest);
        return rest.ToString();
    }
}
