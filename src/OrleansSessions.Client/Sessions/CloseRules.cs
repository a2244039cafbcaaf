using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Sessions;

/// <summary>What a close code tells the client to do.</summary>
internal static class CloseRules
{
    /// <summary>4100 and above mean stop, also codes that are not listed.</summary>
    private const int FirstStopping = 4100;

    /// <summary>True if the client must not come back.</summary>
    public static bool Stops(int code) => code >= FirstStopping || code is CloseCodes.Normal or CloseCodes.UnsupportedData or CloseCodes.InvalidPayload
        or CloseCodes.PolicyViolation or CloseCodes.MessageTooBig;

    /// <summary>Why the client stops.</summary>
    public static SessionStopReason ReasonOf(int code) => code switch
    {
        CloseCodes.Unauthorized or CloseCodes.Forbidden or CloseCodes.UnsupportedProtocol => SessionStopReason.Refused,
        CloseCodes.SessionRemoved => SessionStopReason.SessionRemoved,
        CloseCodes.UnsupportedData or CloseCodes.InvalidPayload or CloseCodes.PolicyViolation or CloseCodes.MessageTooBig or CloseCodes.BadProtocol =>
            SessionStopReason.Protocol,
        _ => SessionStopReason.Ended,
    };
}
