using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>
/// Refusals, removals and administrative actions, in a log category of their own: who, from where, and what. Subjects are named here and in no other log.
/// There is no text of a question or an answer, and no token.
/// </summary>
internal sealed partial class AuditLog(ILoggerFactory loggers, TimeProvider clock)
{
    public const string Category = "OrleansSessions.Audit";

    // Anyone can be refused at any rate, and the log must not grow as fast.
    private const int MaxRefusalsPerMinute = 600;
    private const int MaxNameLength = 128;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private static readonly HashSet<string> Concerned =
    [
        WireErrors.Unauthorized.Code, WireErrors.TokenExpired.Code, WireErrors.Forbidden.Code, WireErrors.PermissionDenied.Code, WireErrors.RateLimited.Code,
        WireErrors.QuotaExceeded.Code,
    ];

    private readonly ILogger _logger = loggers.CreateLogger(Category);
    private readonly Lock _gate = new();
    private readonly ForeignActs _acts = new(clock);
    private long _windowStart = clock.GetTimestamp();
    private int _refusals;

    /// <summary>True if a request was refused because of who sent it or how much it asked for.</summary>
    public static bool Concerns(ErrorMessage refusal) => Concerned.Contains(refusal.Error.Code);

    /// <summary>A request, or a message on a socket, was refused because of who sent it or how much it asked for.</summary>
    public void Refused(HttpContext context, CallerIdentity? caller, ErrorMessage refusal) =>
        Refused(Describe(context), NameOf(caller), From(context), refusal.Error.Code);

    /// <param name="action">What was refused, without any text of the client.</param>
    public void Refused(string action, string who, string from, string code)
    {
        if (CountRefusal(out var skipped))
        {
            if (skipped > 0)
            {
                LogMessages.Skipped(_logger, skipped);
            }

            LogMessages.Refused(_logger, action, who, from, code);
        }
    }

    /// <summary>A session was removed, by its owner or by an administrator.</summary>
    public void Removed(HttpContext context, SessionAccess access) =>
        LogMessages.Removed(_logger, Describe(context), NameOf(access.Caller), From(context), access.Scope);

    /// <summary>
    /// A caller acted in a scope that is not its own. Of a caller's acts of one kind in one scope, the first in a minute has a line. The number of the others
    /// follows with the first act in another scope after that minute.
    /// </summary>
    public void ActedElsewhere(HttpContext context, SessionAccess access)
    {
        var who = NameOf(access.Caller);
        var isFirst = _acts.IsFirst(new(who, access.Caller.Issuer, access.Scope, $"{Clean(context.Request.Method)} {RouteOf(context)}"), out var ended);
        foreach (var (act, repeats) in ended)
        {
            if (act is null)
            {
                LogMessages.SkippedActs(_logger, repeats);
            }
            else
            {
                LogMessages.ActedAgain(_logger, act.Route, act.Who, act.Scope, repeats);
            }
        }

        if (isFirst)
        {
            LogMessages.ActedElsewhere(_logger, Describe(context), who, From(context), access.Scope);
        }
    }

    /// <summary>The sessions of a scope were removed, or some of them if that failed.</summary>
    public void Erased(HttpContext context, SessionAccess access, int sessions, bool isComplete)
    {
        var (who, from) = (NameOf(access.Caller), From(context));
        if (isComplete)
        {
            LogMessages.Erased(_logger, access.Scope, who, from, sessions);
        }
        else
        {
            LogMessages.NotErased(_logger, access.Scope, who, from, sessions);
        }
    }

    public static string NameOf(CallerIdentity? caller) => caller?.Subject is { } subject ? Clean(subject) : "anonymous";

    public static string From(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "local socket";

    /// <summary>The method and the route with its ids. A query can hold a token, so it is left out.</summary>
    private static string Describe(HttpContext context)
    {
        var route = RouteOf(context);
        foreach (var (name, value) in context.Request.RouteValues)
        {
            route = route.Replace($"{{{name}}}", Clean(value?.ToString() ?? ""), StringComparison.Ordinal);
        }

        return $"{Clean(context.Request.Method)} {route}";
    }

    private static string RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText?.TrimEnd('/') ?? "";

    /// <summary>Control characters could forge lines of the log.</summary>
    private static string Clean(string text) =>
        string.Create(Math.Min(text.Length, MaxNameLength), text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(source[i]) || source[i] is '\u2028' or '\u2029' ? '?' : source[i];
            }
        });

    /// <param name="skipped">The refusals that were not logged in the window that has ended, or 0.</param>
    /// <returns>True if this one is logged.</returns>
    private bool CountRefusal(out int skipped)
    {
        lock (_gate)
        {
            skipped = 0;
            var now = clock.GetTimestamp();
            if (clock.GetElapsedTime(_windowStart, now) >= Window)
            {
                skipped = Math.Max(0, _refusals - MaxRefusalsPerMinute);
                (_windowStart, _refusals) = (now, 0);
            }

            return ++_refusals <= MaxRefusalsPerMinute;
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "Refused: {Action}, by {Who}, from {From}: {Code}")]
        public static partial void Refused(ILogger logger, string action, string who, string from, string code);

        [LoggerMessage(2, LogLevel.Warning, "{Count} more refusals in the last minute were not logged")]
        public static partial void Skipped(ILogger logger, int count);

        [LoggerMessage(3, LogLevel.Information, "Removed: {Action}, by {Who}, from {From}, in scope {Scope}")]
        public static partial void Removed(ILogger logger, string action, string who, string from, string scope);

        [LoggerMessage(4, LogLevel.Information, "In another scope: {Action}, by {Who}, from {From}, in scope {Scope}")]
        public static partial void ActedElsewhere(ILogger logger, string action, string who, string from, string scope);

        [LoggerMessage(5, LogLevel.Information, "Erased: scope {Scope}, by {Who}, from {From}: {Sessions} sessions")]
        public static partial void Erased(ILogger logger, string scope, string who, string from, int sessions);

        [LoggerMessage(6, LogLevel.Warning, "Not erased completely: scope {Scope}, by {Who}, from {From}: {Sessions} sessions were removed")]
        public static partial void NotErased(ILogger logger, string scope, string who, string from, int sessions);

        [LoggerMessage(7, LogLevel.Information, "In another scope: {Route}, by {Who}, in scope {Scope}, {Count} more times within a minute")]
        public static partial void ActedAgain(ILogger logger, string route, string who, string scope, int count);

        [LoggerMessage(8, LogLevel.Warning, "In other scopes: {Count} more acts within a minute were not logged")]
        public static partial void SkippedActs(ILogger logger, int count);
    }
}
