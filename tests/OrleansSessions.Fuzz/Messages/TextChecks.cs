using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.Fuzz.Messages;

/// <summary>What must hold for ids, and for positions in a URL.</summary>
internal static partial class TextChecks
{
    public static string? Find(string text) =>
        Identifiers.IsSessionId(text) != IsId(text, 128) ? $"As a session id it is {(IsId(text, 128) ? "refused" : "accepted")}."
        : Identifiers.IsQuestionId(text) != IsId(text, 64) ? $"As a question id it is {(IsId(text, 64) ? "refused" : "accepted")}."
        : Epochs.FromWire(text) is var epoch && epoch != Epochs.Unknown && Epochs.ToWire(epoch) != text
            ? "As an epoch it is accepted in another form than it is written."
        : FindInPosition(text);

    private static string? FindInPosition(string text)
    {
        var query = new QueryCollection(QueryHelpers.ParseQuery("?" + text));
        if (FollowRequest.ReadPosition(query, out var position) is { } refusal)
        {
            return refusal.Error == WireErrors.BadRequest && refusal.Param is "after" or "epoch" && position is null
                ? null
                : "As a position it is refused, but not as one.";
        }

        var isPosition = query.ContainsKey("epoch") && Digits().IsMatch(query["after"].ToString());
        return position is { } place && (place.AfterSeq is < 0 or >= 1L << 53 || !isPosition) ? "As a position it is accepted, and is none." : null;
    }

    private static bool IsId(string text, int maxLength) => text.Length <= maxLength && Id().IsMatch(text) && text is not "." and not "..";

    [GeneratedRegex(@"\A[A-Za-z0-9._~:@-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();

    [GeneratedRegex(@"\A[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Digits();
}
