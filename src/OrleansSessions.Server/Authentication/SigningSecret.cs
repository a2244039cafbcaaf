using System.Text;

namespace OrleansSessions.Server.Authentication;

/// <summary>A shared key as it is written in the configuration.</summary>
internal static class SigningSecret
{
    /// <summary>A key that is shorter than the hash of HS256 can be guessed from one token.</summary>
    public const int MinBytes = 32;

    /// <summary>Without a mark, a text that happens to be Base64 would be read in another way than its owner meant.</summary>
    public const string Base64Prefix = "base64:";

    /// <returns>Null if the value is not Base64 although it says so.</returns>
    public static byte[]? Decode(string value)
    {
        if (!value.StartsWith(Base64Prefix, StringComparison.Ordinal))
        {
            return Encoding.UTF8.GetBytes(value);
        }

        var bytes = new byte[value.Length];
        return Convert.TryFromBase64String(value[Base64Prefix.Length..], bytes, out var length) ? bytes[..length] : null;
    }
}
