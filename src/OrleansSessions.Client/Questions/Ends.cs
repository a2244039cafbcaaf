using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Questions;

/// <summary>How questions end, as callers see it.</summary>
internal static class Ends
{
    /// <summary>The end of a question without its text.</summary>
    public static AnswerEnd Of(string questionId, QuestionEnd end) => new()
    {
        QuestionId = questionId,
        Status = end.Status,
        Text = "",
        Reason = end.Reason,
        Message = end.Message,
        IsRetryable = end.IsRetryable,
        RetryAfter = end.RetryAfterMs is { } retryAfter ? TimeSpan.FromMilliseconds(retryAfter) : null,
        FirstTextAfter = end.FirstMs is { } first ? TimeSpan.FromMilliseconds(first) : null,
        Duration = TimeSpan.FromMilliseconds(end.TotalMs),
    };

    /// <summary>The end of a question that was cancelled before it was sent.</summary>
    public static AnswerEnd BeforeSent(string questionId) => new()
    {
        QuestionId = questionId,
        Status = QuestionStatus.Cancelled,
        Text = "",
        Reason = DoneReasons.ByClient,
        Message = "The question was cancelled before it was sent.",
    };
}
