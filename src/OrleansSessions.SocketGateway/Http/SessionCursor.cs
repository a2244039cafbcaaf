using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>A place in the list of a scope's sessions: after which entry the next page begins. Clients treat its text as opaque.</summary>
internal sealed record SessionCursor(DateTimeOffset UpdatedAt, string SessionId)
{
    private const int MaxLength = 256;

    public static SessionCursor Of(ListedSession session) => new(session.UpdatedAt.ToUniversalTime(), session.SessionId);

    /// <summary>Reads what <see cref="ToString"/> returned.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out SessionCursor? cursor)
    {
        cursor = null;
        if (text.Length > MaxLength || !Base64Url.IsValid(text))
        {
            return false;
        }

        var parts = Encoding.ASCII.GetString(Base64Url.DecodeFromChars(text)).Split('/', 2);
        if (parts.Length != 2 || !Identifiers.IsSessionId(parts[1]) || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return false;
        }

        cursor = new(new DateTimeOffset(ticks, TimeSpan.Zero), parts[1]);
        return true;
    }

    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{UpdatedAt.UtcTicks}/{SessionId}")));
}
