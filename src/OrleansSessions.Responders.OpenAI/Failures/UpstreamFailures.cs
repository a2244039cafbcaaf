using System.Globalization;
using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Protocol;
using OrleansSessions.Responders.OpenAI.Requests;

namespace OrleansSessions.Responders.OpenAI.Failures;

/// <summary>
/// The failures of one exchange with an upstream: what each means for the client, and what of it the operator needs in the log. Nothing here repeats words of
/// the upstream, not even the message of a cause, because they can contain the question and the key.
/// </summary>
/// <param name="upstream">The host that is asked.</param>
/// <param name="privateWords">What an upstream could repeat that is none of its own: the keys, and the question.</param>
internal sealed partial class UpstreamFailures(ILogger logger, ResponderContext context, string upstream, PrivateWords privateWords)
{
    private static readonly string[] Codings = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"];

    /// <summary>The response that is read, once there is one.</summary>
    public HttpResponseMessage? Response { get; set; }

    /// <summary>The names of the fields that the request has.</summary>
    public IReadOnlyCollection<string> SentFields { get; init; } = [];

    private int? Status => (int?)Response?.StatusCode;

    private string ContentType => Response?.Content.Headers.ContentType?.MediaType is { } type ? privateWords.MediaType(type) ?? "unusual" : "none";

    /// <summary>The upstream ended before the answer did.</summary>
    public ResponderException Cut(Exception? inner = null) =>
        Report(DoneReasons.ResponderCut, "The upstream stopped before the answer was complete.", isRetryable: true, inner: inner);

    /// <summary>The model or its content filter did not want to answer.</summary>
    public ResponderException Refused(UpstreamError? error = null) =>
        Report(DoneReasons.ResponderRefused, "The model declined to answer.", isRetryable: false, error);

    public ResponderException Unreachable(Exception inner) => Report(
        DoneReasons.ResponderUnavailable, "The upstream cannot be reached, or closed the connection before it answered.", isRetryable: true, inner: inner);

    /// <summary>The response has a redirect that is not followed.</summary>
    /// <param name="target">Where it leads, or null if that is not known.</param>
    public ResponderException Redirected(Uri? target)
    {
        var origin = privateWords.Hide(target?.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)) ?? "an address that is not shown";
        LogMessages.Redirected(logger, upstream, origin);
        return Report(DoneReasons.ResponderError, "The upstream redirects the request to another server, where it is not sent.", isRetryable: false);
    }

    /// <summary>The response has an error status.</summary>
    /// <param name="error">What its body says, or null.</param>
    public ResponderException Rejected(UpstreamError? error, TimeSpan? retryAfter)
    {
        var status = Status!.Value;
        if (error is { IsRefusal: true })
        {
            return Refused(error);
        }

        var isRetryable = error?.IsRetryable(status, otherwise: false) ?? UpstreamError.IsRetryable(status);
        var isAway = isRetryable && status is 408 or 429 or 502 or 503 or 504;
        var message = RefusedField(error) is { } field
            ? $"The upstream refused the field '{field}' with HTTP status {status}. {RequestFields.AdviceFor(field)}".TrimEnd()
            : $"The upstream answered with HTTP status {status}{CodeOf(error)}.";
        var reason = isAway ? DoneReasons.ResponderUnavailable : DoneReasons.ResponderError;
        return Report(reason, message, isRetryable, error, isRetryable ? retryAfter : null);
    }

    /// <summary>The upstream reported an error in a response that had begun as an answer.</summary>
    /// <param name="hasStarted">True if a part of the answer came before. A request that was begun was a good one, so asking again can help.</param>
    public ResponderException Reported(UpstreamError error, bool hasStarted) => error.IsRefusal
        ? Refused(error)
        : Report(
            DoneReasons.ResponderError,
            $"The upstream reported an error{CodeOf(error)}{(hasStarted ? " in the middle of the answer" : "")}.",
            error.IsRetryable(status: null, otherwise: hasStarted),
            error);

    /// <summary>The response is not an answer.</summary>
    /// <param name="what">What it is, to complete the sentence "The upstream sent".</param>
    public ResponderException NotAnAnswer(string what, Exception? inner = null) =>
        Report(DoneReasons.ResponderError, $"The upstream sent {what} instead of an answer.", isRetryable: false, inner: inner);

    /// <summary>The model stopped for a fault of its server.</summary>
    public ResponderException Faulted() =>
        Report(DoneReasons.ResponderError, "The upstream stopped the answer because of an error of its own.", isRetryable: true);

    /// <summary>The model called a tool, and there is no text.</summary>
    public ResponderException CalledATool() =>
        Report(DoneReasons.ResponderError, "The model called a tool instead of answering, and it was offered none.", isRetryable: false);

    /// <summary>Many servers write something here that is no coding, such as <c>none</c> or <c>utf-8</c>. That says nothing about the body.</summary>
    /// <exception cref="ResponderException">The response is compressed, although the request said that it must not be.</exception>
    public void ThrowIfCompressed()
    {
        if (Response!.Content.Headers.ContentEncoding.FirstOrDefault(coding => Codings.Contains(coding, StringComparer.OrdinalIgnoreCase)) is { } coding)
        {
            throw NotAnAnswer($"compressed data ({coding}), which was not asked for,");
        }
    }

    private ResponderException Report(
        string reason, string message, bool isRetryable, UpstreamError? error = null, TimeSpan? retryAfter = null, Exception? inner = null)
    {
        if (logger.IsEnabled(LogLevel.Warning))
        {
            var facts = new Facts(
                reason, Status, ContentType, privateWords.Hide(error?.Type), privateWords.Hide(error?.Code), RefusedField(error));
            LogMessages.Failed(logger, context.SessionKey, context.QuestionId, upstream, facts);
        }

        return new(reason, message, isRetryable, inner is null ? null : LoggedException.Of(inner)) { IsSafeToLog = true, RetryAfter = retryAfter };
    }

    /// <summary>The field that the upstream refuses, or null. Only these two statuses are about the request.</summary>
    private string? RefusedField(UpstreamError? error) => Status is not (400 or 422) ? null : error?.FindField(SentFields);

    /// <summary>The code in brackets, unless it only repeats the status.</summary>
    private string CodeOf(UpstreamError? error)
    {
        var code = privateWords.Hide(error?.Code ?? error?.Type);
        return code is null || code == Status?.ToString(CultureInfo.InvariantCulture) ? "" : $" ('{code}')";
    }

    /// <summary>What an operator needs to know about a failure.</summary>
    private readonly record struct Facts(string Reason, int? Status, string ContentType, string? Type, string? Code, string? Field)
    {
        public override string ToString() =>
            $"{Reason}; HTTP status {Status?.ToString(CultureInfo.InvariantCulture) ?? "none"}, content type {ContentType}, error type {Type ?? "none"}, "
            + $"error code {Code ?? "none"}, refused field {Field ?? "none"}";
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "Session {SessionKey}: question {QuestionId} failed at the upstream {Upstream}: {Facts}")]
        public static partial void Failed(ILogger logger, string sessionKey, string questionId, string upstream, Facts facts);

        [LoggerMessage(
            2, LogLevel.Warning, "The upstream {Upstream} redirects to {Origin}, where nothing is sent; set Responder:OpenAI:Endpoint to the new address")]
        public static partial void Redirected(ILogger logger, string upstream, string origin);
    }
}
