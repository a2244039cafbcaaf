namespace OrleansSessions.Responders;

/// <summary>
/// Turns a question into text. One instance serves all sessions at once. It runs on the thread pool, never on a grain's scheduler,
/// so it may compute, block or never return without holding up its session.
/// </summary>
public interface IResponder
{
    /// <summary>
    /// Streams the answer. Ending without an <see cref="AnswerPiece.Stop"/> piece means the answer is complete.
    /// Throw <see cref="ResponderException"/> to end the question with a reason; any other exception ends it with <c>responder_error</c>.
    /// </summary>
    /// <param name="cancellationToken">Set on cancel, time-out, removal and stop. Pieces that come later are dropped.</param>
    IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, CancellationToken cancellationToken);
}
