using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

/// <summary>
/// Answers a stored question that was asked for a responder, where answers now come from outside only: it ends at once instead of at a deadline.
/// Also refuses the options of new questions.
/// </summary>
internal sealed class MissingResponder : IResponder
{
    public IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, CancellationToken cancellationToken) => throw new ResponderException(
        DoneReasons.ResponderUnavailable, "The responder that the question was asked for is no longer configured.", isRetryable: true)
    { IsSafeToLog = true };

    /// <summary>No one outside is sent the options, so none is taken.</summary>
    public OptionFault? CheckOptions(JsonElement options) =>
        OptionFault.OfAny(options, "The answers of this server come from outside, so it takes no options.");
}
