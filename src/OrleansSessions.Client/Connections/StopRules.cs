using System.Net;
using OrleansSessions.Client.Sessions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Connections;

/// <summary>Whether a client comes back after the end of a connection.</summary>
internal static class StopRules
{
    private const int FirstClientError = 400;
    private const int FirstServerError = 500;

    /// <summary>True if the token has expired: the client comes back if there is another one.</summary>
    public static bool NeedsToken(LinkEnd end) => end.CloseCode == CloseCodes.TokenExpired
        || (end.Refusal?.Code == WireErrors.TokenExpired.Code && (end.CloseCode is not { } code || !CloseRules.Stops(code)));

    /// <summary>Why the client stops, or null if it comes back.</summary>
    public static SessionStop? Decide(LinkEnd end)
    {
        if (end.IsMisunderstood)
        {
            return Stop(SessionStopReason.Protocol, end);
        }

        var isRefusal = end.Status is { } status
            ? (int)status is >= FirstClientError and < FirstServerError && status != HttpStatusCode.TooManyRequests
            : !end.IsGreeted && end.Refusal is { IsRetryable: false };
        if (isRefusal)
        {
            return Stop(end.Refusal?.Code == WireErrors.SessionRemoved.Code ? SessionStopReason.SessionRemoved : SessionStopReason.Refused, end);
        }

        return end.CloseCode is { } code && CloseRules.Stops(code) ? Stop(CloseRules.ReasonOf(code), end) : null;
    }

    public static SessionStop Stop(SessionStopReason reason, LinkEnd end)
    {
        // The code of the HTTP layer is not one of the contract.
        var code = end.Explanation?.Code == Http.Problems.HttpCode ? null : end.Explanation?.Code;
        return new(reason, end.Message, code, end.CloseCode, end.Fault);
    }
}
