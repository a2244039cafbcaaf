using System.Globalization;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>What a client wants to follow.</summary>
/// <param name="Access">In which scope, and what else the client may do there.</param>
/// <param name="Resume">The position to resume from, or null to start at the head of the log.</param>
internal sealed record FollowRequest(SessionAccess Access, string SessionId, WireProfile Profile, (long Epoch, long AfterSeq)? Resume)
{
    /// <summary>The grain's key.</summary>
    public string SessionKey { get; } = Access.KeyOf(SessionId);

    /// <summary>The client's address, for the audit log.</summary>
    public string From { get; init; } = "";

    /// <summary>The <c>traceparent</c> that the client sent, as <see cref="Telemetry.RequestTrace.Received"/> returned it.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Reads <c>epoch</c> and <c>after</c> from a URL.</summary>
    /// <param name="position">Null if the URL contains no position.</param>
    /// <returns>The refusal, or null.</returns>
    public static ErrorMessage? ReadPosition(IQueryCollection query, out (long Epoch, long AfterSeq)? position)
    {
        position = null;
        var (epoch, after) = (query["epoch"], query["after"]);
        if (after.Count == 0)
        {
            return null;
        }

        if (!TryReadSeq(after, out var seq))
        {
            return new(WireErrors.BadRequest, "'after' must be an integer from 0 to 2^53 - 1.", Param: "after");
        }

        if (epoch.Count == 0)
        {
            return new(WireErrors.BadRequest, "'after' requires the 'epoch' that it belongs to.", Param: "epoch");
        }

        position = (Epochs.FromWire(epoch.ToString()), seq);
        return null;
    }

    /// <summary>Reads the number of an event, from 0 to 2^53 - 1.</summary>
    public static bool TryReadSeq(ReadOnlySpan<char> text, out long seq) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seq) && seq < 1L << 53;
}
