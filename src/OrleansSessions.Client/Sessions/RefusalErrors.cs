using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Sessions;

/// <summary>Refusals as exceptions.</summary>
internal static class RefusalErrors
{
    public static SessionRefusedException Of(ErrorMessage error) => new(error.Error.Code, error.Message)
    {
        IsRetryable = error.Error.IsRetryable,
        RetryAfter = Milliseconds(error.RetryAfterMs),
        QuestionId = error.QuestionId,
        Parameter = error.Param,
        ActiveQuestionId = error.ActiveQuestionId,
        ActiveFor = Milliseconds(error.ActiveForMs),
    };

    /// <summary>The client itself refuses a question, as the server would.</summary>
    public static SessionRefusedException Of(WireError error, string message, string? questionId) =>
        new(error.Code, message) { IsRetryable = error.IsRetryable, QuestionId = questionId };

    private static TimeSpan? Milliseconds(long? number) => number is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
}
