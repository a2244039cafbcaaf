using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.AI;

namespace OrleansSessions.Client.ChatClient.Answers;

/// <summary>A place in an answer, for another call or another process: the position, and what the text before it was. It holds no secret.</summary>
internal sealed class AnswerToken(AnswerPosition position, ulong hash) : ResponseContinuationToken
{
    private const string Version = "1";

    public AnswerToken(AnswerPosition position, TextPrefix given) : this(position with { Bytes = given.Bytes }, given.Hash)
    {
    }

    public AnswerPosition Position => position;

    public TextPrefix Given => new(position.Bytes, hash);

    public override ReadOnlyMemory<byte> ToBytes() => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Version} {hash:x} {position}"));

    /// <summary>Reads a token of this client, also one that was turned into bytes and back.</summary>
    /// <exception cref="ArgumentException">It is a token of something else.</exception>
    public static AnswerToken Of(ResponseContinuationToken token, string parameter) => token as AnswerToken
        ?? (TryParse(Encoding.UTF8.GetString(token.ToBytes().Span), out var parsed)
            ? parsed
            : throw new ArgumentException("The continuation token is not one of a SessionChatClient.", parameter));

    private static bool TryParse(string text, [NotNullWhen(true)] out AnswerToken? token)
    {
        token = text.Split(' ') is [Version, var hash, var position]
            && ulong.TryParse(hash, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            && AnswerPosition.TryParse(position, out var parsed)
            ? new(parsed, number)
            : null;
        return token is not null;
    }
}
