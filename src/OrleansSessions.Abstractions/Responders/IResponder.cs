using System.Text.Json;

namespace OrleansSessions.Responders;

/// <summary>
/// Turns a question into text. One instance serves all sessions at the same time. It runs on the thread pool, never on a grain's scheduler,
/// so it can compute, block or never return without blocking its session.
/// </summary>
public interface IResponder
{
    /// <summary>
    /// Streams the answer. If it ends without an <see cref="AnswerPiece.Stop"/> piece, the answer is complete.
    /// Throw <see cref="ResponderException"/> to end the question with a reason. Any other exception ends it with <c>responder_error</c>.
    /// </summary>
    /// <param name="cancellationToken">Cancelled on a cancel, a time-out, the removal of the session and a stop. Later pieces are dropped.</param>
    IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, CancellationToken cancellationToken);

    /// <summary>
    /// What becomes of a question whose process dies while this responder answers it. Default <see cref="RecoveryMode.Fail"/>, because only the author of a
    /// responder knows whether its work may be done twice.
    /// </summary>
    RecoveryMode Recovery => RecoveryMode.Fail;

    /// <summary>
    /// Checks the <c>options</c> of a question before it is admitted. Returns what is wrong, or null if the responder takes all of them as they are.
    /// Runs in a turn of the session's grain, so it must be fast. If it throws, the ask fails as <c>internal</c>. By default a responder takes no options.
    /// </summary>
    /// <param name="options">A JSON object. It is valid only during the call.</param>
    OptionFault? CheckOptions(JsonElement options) => OptionFault.OfAny(options, "The responder of this server takes no options.");
}
