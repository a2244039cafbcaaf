using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

/// <summary>The demo responder: repeats the question, one word per piece. The pieces joined are the question, white space and all.</summary>
internal sealed class EchoResponder(IOptions<EchoOptions> options, TimeProvider time) : IResponder
{
    /// <summary>The question says what is missing.</summary>
    public RecoveryMode Recovery => RecoveryMode.Continue;

    public async IAsyncEnumerable<AnswerPiece> AnswerAsync(
        ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pause = options.Value.InitialDelay;
        var rest = context.Question.AsMemory(context.AnswerSoFar.Length);
        while (rest.Length > 0)
        {
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, time, cancellationToken);
            }

            cancellationToken.ThrowIfCancellationRequested();
            var length = LengthOfNextWord(rest.Span);
            yield return AnswerPiece.Of(rest[..length].ToString());
            rest = rest[length..];
            pause = options.Value.Delay;
        }
    }

    /// <summary>A word with the white space before it, as language models cut; the last one takes what trails it too.</summary>
    private static int LengthOfNextWord(ReadOnlySpan<char> text)
    {
        var end = SkipWhile(text, 0, isWhiteSpace: true);
        end = SkipWhile(text, end, isWhiteSpace: false);
        return SkipWhile(text, end, isWhiteSpace: true) == text.Length ? text.Length : end;
    }

    private static int SkipWhile(ReadOnlySpan<char> text, int from, bool isWhiteSpace)
    {
        while (from < text.Length && char.IsWhiteSpace(text[from]) == isWhiteSpace)
        {
            from++;
        }

        return from;
    }
}
