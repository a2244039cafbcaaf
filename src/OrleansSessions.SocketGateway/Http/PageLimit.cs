using System.Globalization;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>The parameter <c>limit</c> of lists: 1 to 100, 50 without it.</summary>
internal static class PageLimit
{
    private const int Default = 50;
    private const int Max = 100;

    /// <returns>The refusal, or null.</returns>
    public static ErrorMessage? Read(string? limit, out int count)
    {
        count = Default;
        return limit is null || (int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is >= 1 and <= Max)
            ? null
            : new(WireErrors.BadRequest, $"'limit' must be an integer from 1 to {Max}.", Param: "limit");
    }
}
