using System.Collections.Frozen;

namespace OrleansSessions.Protocol;

/// <summary>One row of the error table: what a code means on the socket and over HTTP.</summary>
/// <param name="Code">The name that clients compare. It never changes.</param>
/// <param name="HttpStatus">The HTTP status of a response with this error.</param>
/// <param name="IsRetryable">True if the same request can succeed later, unchanged.</param>
/// <param name="CloseCode">The code with which the socket is closed, or null if it remains open.</param>
/// <param name="Title">A short name of the error, the same for every occurrence.</param>
public sealed record WireError(string Code, int HttpStatus, bool IsRetryable, int? CloseCode, string Title)
{
    /// <summary>
    /// The code with which a socket is closed that was opened only to deliver this refusal, or null if it is delivered over HTTP.
    /// The same as <see cref="CloseCode"/> unless set.
    /// </summary>
    public int? AttachCloseCode { get => field ?? CloseCode; init; }
}

/// <summary>All error codes, for the socket and HTTP. Codes never change. Messages can change, except <see cref="BusyMessage"/>.</summary>
public static class WireErrors
{
    /// <summary>The message of a busy session. It never changes, because clients of the Python session manager compare it.</summary>
    public const string BusyMessage = "Please wait for the previous response";

    public static readonly WireError SessionBusy = new("session_busy", 409, true, null, "The session is busy");
    public static readonly WireError QueueFull = new("queue_full", 429, true, null, "The session's queue is full");
    public static readonly WireError BadRequest = new("bad_request", 400, false, null, "The request is not valid");
    public static readonly WireError UnknownType = new("unknown_type", 400, false, null, "The message type is unknown");
    public static readonly WireError UnsupportedProtocol = new(
        "unsupported_protocol", 400, false, CloseCodes.UnsupportedProtocol, "No offered protocol is supported");
    public static readonly WireError MessageTooLarge = new("message_too_large", 413, false, CloseCodes.MessageTooBig, "The message is too large");
    public static readonly WireError UnsupportedMediaType = new("unsupported_media_type", 415, false, null, "The content type is not supported");
    public static readonly WireError MethodNotAllowed = new("method_not_allowed", 405, false, null, "The method is not allowed here");
    public static readonly WireError NotFound = new("not_found", 404, false, null, "The address does not exist");
    public static readonly WireError QuestionTooLarge = new("question_too_large", 413, false, null, "The question is too large");
    public static readonly WireError QuestionConflict = new("question_conflict", 422, false, null, "The question id was used with another text");
    public static readonly WireError QuestionNotFound = new("question_not_found", 404, false, null, "The question does not exist");
    public static readonly WireError SessionNotFound = new("session_not_found", 404, false, null, "The session does not exist");
    public static readonly WireError SessionRemoved = new("session_removed", 404, false, CloseCodes.SessionRemoved, "The session was removed");
    public static readonly WireError NoOpenQuestion = new("no_open_question", 409, false, null, "No question waits for an answer");
    public static readonly WireError AlreadyDone = new("already_done", 409, false, null, "The question has ended");
    public static readonly WireError StaleAttempt = new("stale_attempt", 409, false, null, "A later attempt is answering the question");
    public static readonly WireError OffsetMismatch = new("offset_mismatch", 409, false, null, "The piece does not begin where the answer ends");
    public static readonly WireError Unauthorized = new("unauthorized", 401, false, null, "Not authenticated") { AttachCloseCode = CloseCodes.Unauthorized };
    public static readonly WireError TokenExpired = new("token_expired", 401, false, CloseCodes.TokenExpired, "The token has expired");
    public static readonly WireError Forbidden = new("forbidden", 403, false, null, "Not allowed") { AttachCloseCode = CloseCodes.Forbidden };
    public static readonly WireError PermissionDenied = new("permission_denied", 403, false, null, "A permission is missing")
    {
        AttachCloseCode = CloseCodes.Forbidden,
    };

    public static readonly WireError RateLimited = new("rate_limited", 429, true, null, "Too many requests") { AttachCloseCode = CloseCodes.RateLimited };
    public static readonly WireError QuotaExceeded = new("quota_exceeded", 429, true, null, "A limit of the caller is reached")
    {
        AttachCloseCode = CloseCodes.ConnectionLimit,
    };

    public static readonly WireError ConnectionLimit = new("connection_limit", 429, true, CloseCodes.ConnectionLimit, "Too many connections");
    public static readonly WireError Draining = new("draining", 503, true, CloseCodes.Draining, "This node is shutting down");
    public static readonly WireError StoreUnavailable = new("store_unavailable", 503, true, null, "The store is not available")
    {
        AttachCloseCode = CloseCodes.InternalError,
    };

    public static readonly WireError Internal = new("internal", 500, true, CloseCodes.InternalError, "The server failed");

    /// <summary>All rows, in the order of the table in docs/protocol.md.</summary>
    public static IReadOnlyList<WireError> All { get; } =
    [
        SessionBusy, QueueFull, BadRequest, UnknownType, UnsupportedProtocol, MessageTooLarge, UnsupportedMediaType, MethodNotAllowed, NotFound,
        QuestionTooLarge, QuestionConflict, QuestionNotFound, SessionNotFound, SessionRemoved, NoOpenQuestion, AlreadyDone, StaleAttempt, OffsetMismatch,
        Unauthorized, TokenExpired, Forbidden, PermissionDenied, RateLimited, QuotaExceeded, ConnectionLimit, Draining, StoreUnavailable,
        Internal,
    ];

    private static readonly FrozenDictionary<string, WireError> ByCode = All.ToFrozenDictionary(error => error.Code);

    /// <summary>Returns the row of a code, or null.</summary>
    public static WireError? Find(string code) => ByCode.GetValueOrDefault(code);
}
