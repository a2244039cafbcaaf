namespace OrleansSessions.Protocol;

/// <summary>The refusals that are sent from more than one place.</summary>
public static class Refusals
{
    private const string Alphabet = "of A-Z a-z 0-9 . _ ~ : @ - and not '.' or '..'";

    /// <param name="param">The name of the field or parameter that contained the id.</param>
    public static ErrorMessage SessionId(string param) => new(
        WireErrors.BadRequest, $"A session id is 1 to {Identifiers.MaxSessionIdLength} characters {Alphabet}.", Param: param);

    /// <param name="param">The name of the field or parameter that contained the id.</param>
    public static ErrorMessage QuestionId(string param) => new(
        WireErrors.BadRequest, $"A question id is 1 to {Identifiers.MaxQuestionIdLength} characters {Alphabet}.", Param: param);

    public static ErrorMessage EmptyQuestion(string? questionId) => new(WireErrors.BadRequest, "The question is empty.", questionId, "question");

    public static ErrorMessage QuestionTooLarge(string? questionId, int bytes, int maxBytes) => new(
        WireErrors.QuestionTooLarge, $"The question has {bytes} bytes. At most {maxBytes} are allowed.", questionId, "question");

    /// <param name="option">The name of the faulty option, as the client sent it; empty or null if the options as a whole are faulty.</param>
    public static ErrorMessage BadOption(string? questionId, string? option, string? message) => new(
        WireErrors.BadRequest, message ?? "The responder does not take these options.", questionId,
        string.IsNullOrEmpty(option) ? "options" : $"options.{StrictJson.Shorten(option)}");

    /// <param name="what">What is too large: <c>message</c> or <c>body</c>.</param>
    public static ErrorMessage MessageTooLarge(string what, int maxBytes) => new(WireErrors.MessageTooLarge, $"The {what} exceeds {maxBytes} bytes.");

    public static ErrorMessage QuestionNotFound(string? questionId) => new(WireErrors.QuestionNotFound, "No question has this id.", questionId);

    public static ErrorMessage NothingRuns() => new(WireErrors.NoOpenQuestion, "No question is running.");

    public static ErrorMessage AlreadyDone(string? questionId) => new(WireErrors.AlreadyDone, "The question has ended.", questionId);

    public static ErrorMessage SessionRemoved() => new(WireErrors.SessionRemoved, "The session was removed.");

    /// <summary>The silo of this process is no longer a member of its cluster.</summary>
    public static ErrorMessage LeftCluster(string? questionId, long retryAfterMs) => new(
        WireErrors.Draining, "This node has left its cluster.", questionId, RetryAfterMs: retryAfterMs);

    public static ErrorMessage GoingDown(long retryAfterMs) => new(WireErrors.Draining, "This node is shutting down.", RetryAfterMs: retryAfterMs);

    public static ErrorMessage ConnectionLimit(long retryAfterMs) => new(
        WireErrors.ConnectionLimit, "This node has reached its maximum number of connections.", RetryAfterMs: retryAfterMs);

    /// <param name="notDone">The beginning of a sentence, for example <c>The question could not be asked</c>.</param>
    public static ErrorMessage StoreUnavailable(string notDone, string? questionId, long retryAfterMs) => new(
        WireErrors.StoreUnavailable, $"{notDone}: the store of the sessions is not available.", questionId, RetryAfterMs: retryAfterMs);

    /// <param name="message">What is wrong with the token, or that there is none. It never contains the token.</param>
    public static ErrorMessage Unauthorized(string message) => new(WireErrors.Unauthorized, message);

    public static ErrorMessage TokenExpired() => new(WireErrors.TokenExpired, "The token has expired. Connect again with a fresh one.");

    /// <param name="permission">The permission that is missing, as it stands in a token: <c>sessions:answer</c>.</param>
    public static ErrorMessage PermissionDenied(string permission) => new(WireErrors.PermissionDenied, $"This needs the permission {permission}.");

    /// <param name="message">The limit, with its number.</param>
    /// <param name="wait">How long until the same request can succeed. It is rounded up: a client that came a moment too early would be refused again.</param>
    public static ErrorMessage RateLimited(string message, TimeSpan wait, string? questionId = null) => new(
        WireErrors.RateLimited, message, questionId, RetryAfterMs: Math.Max(1, (long)Math.Ceiling(wait.TotalMilliseconds)));

    /// <summary>The session's grain returned an outcome that this version does not know.</summary>
    public static ErrorMessage UnknownOutcome(string? questionId, long retryAfterMs) => new(
        WireErrors.Internal, "The session returned an unknown result.", questionId, RetryAfterMs: retryAfterMs);
}
