using System.Runtime.CompilerServices;
using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Responders;

/// <summary>Stands in for a responder whose earlier answers to the same session never stopped.</summary>
internal sealed class LingeringRuns : IResponder
{
    public static readonly LingeringRuns Refusal = new();

    public async IAsyncEnumerable<AnswerPiece> AnswerAsync(
        ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.FromException(new ResponderException(
            DoneReasons.ResponderUnavailable, "Earlier answers of this session were told to stop and have not; ask again later.", isRetryable: true));
        yield break;
    }
}
