using Microsoft.Extensions.AI;

namespace OrleansSessions.Client.ChatClient;

/// <summary>
/// The text that the caller has was withdrawn: the process that was answering was lost before it had saved that text, and the answer that there is now is
/// another one. The question goes on. To continue, drop the text and call again with <see cref="ContinuationToken"/>.
/// </summary>
public sealed class AnswerRestartedException : SessionException
{
    /// <summary>The value of <see cref="SessionException.Code"/>.</summary>
    public const string RestartedCode = "answer_restarted";

    /// <summary>Creates the exception.</summary>
    /// <param name="questionId">The question.</param>
    /// <param name="continuationToken">The beginning of the answer that there is now.</param>
    public AnswerRestartedException(string questionId, ResponseContinuationToken continuationToken)
        : base(RestartedCode, $"The text so far of the question '{questionId}' was withdrawn. Drop it, and continue with the token of this exception.")
    {
        ArgumentNullException.ThrowIfNull(continuationToken);
        (QuestionId, ContinuationToken) = (questionId, continuationToken);
    }

    /// <summary>The question.</summary>
    public string QuestionId { get; }

    /// <summary>The beginning of the answer that there is now, as <see cref="ChatOptions.ContinuationToken"/> of the next call.</summary>
    public ResponseContinuationToken ContinuationToken { get; }
}
