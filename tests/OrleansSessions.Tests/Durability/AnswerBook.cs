using System.Runtime.CompilerServices;
using OrleansSessions.Responders;

namespace OrleansSessions.Tests.Durability;

/// <summary>A responder that knows the one right answer to each question, and continues it where it is asked to.</summary>
internal sealed class AnswerBook(RecoveryMode recovery) : IResponder
{
    private const int PieceLength = 700;

    public RecoveryMode Recovery => recovery;

    /// <summary>The right answer: as long as the number at the end of the question says, and different for each question.</summary>
    public static string AnswerTo(string question)
    {
        var length = int.Parse(question[(question.LastIndexOf('#') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
        var words = string.Concat(Enumerable.Range(0, (length / question.Length) + 1).Select(number => $"{number} {question} \U0001F4D6 "));
        return words[..(length - (char.IsHighSurrogate(words[length - 1]) ? 1 : 0))];
    }

    public async IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var answer = AnswerTo(context.Question);
        if (!answer.StartsWith(context.AnswerSoFar, StringComparison.Ordinal))
        {
            throw new InvalidOperationException("The text so far is not the beginning of the answer.");
        }

        for (var start = context.AnswerSoFar.Length; start < answer.Length; start += PieceLength)
        {
            await Task.Yield();
            yield return AnswerPiece.Of(answer[start..Math.Min(answer.Length, start + PieceLength)]);
        }
    }
}
