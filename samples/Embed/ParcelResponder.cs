using System.Runtime.CompilerServices;
using OrleansSessions.Responders;

namespace Embed;

/// <summary>
/// Answers with the parcels of whoever asked. A responder that asks a language model would put them into its prompt; this one says them
/// word by word, at the pace of a model. A cancel ends the wait, because the token is passed on.
/// </summary>
internal sealed class ParcelResponder(ParcelBook book, TimeProvider time, IConfiguration configuration) : IResponder
{
    private readonly TimeSpan _pace = configuration.GetValue("Pace", TimeSpan.FromMilliseconds(60));

    public async IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var parcels = book.Of(context.User ?? "");
        var named = parcels.Where(parcel => context.Question.Contains($"{parcel.Number}", StringComparison.Ordinal)).ToList();
        foreach (var parcel in named.Count > 0 ? named : parcels)
        {
            foreach (var word in $"Parcel {parcel.Number} {parcel.State}.".Split(' '))
            {
                await Task.Delay(_pace, time, cancellationToken);
                yield return AnswerPiece.Of(word + " ");
            }
        }
    }
}
