using System.Buffers;
using System.Security.Cryptography;

namespace OrleansSessions.Protocol;

/// <summary>The alphabet and lengths of the ids that clients choose.</summary>
public static class Identifiers
{
    /// <summary>The longest session id, in characters.</summary>
    public const int MaxSessionIdLength = 128;

    /// <summary>The longest question id, in characters.</summary>
    public const int MaxQuestionIdLength = 64;

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:@-");

    /// <summary>True for 1 to 128 characters of <c>A-Za-z0-9._~:@-</c>, but not <c>.</c> or <c>..</c>, which proxies rewrite.</summary>
    public static bool IsSessionId(ReadOnlySpan<char> id) =>
        IsWithin(id, MaxSessionIdLength) && id is not "." and not "..";

    /// <summary>True for 1 to 64 characters of <c>A-Za-z0-9._~:@-</c>, but not <c>.</c> or <c>..</c>: it is a path segment too.</summary>
    public static bool IsQuestionId(ReadOnlySpan<char> id) =>
        IsWithin(id, MaxQuestionIdLength) && id is not "." and not "..";

    /// <summary>A new random question id, for a question whose client chose none.</summary>
    public static string NewQuestionId() => "q-" + RandomNumberGenerator.GetHexString(16, lowercase: true);

    private static bool IsWithin(ReadOnlySpan<char> id, int maxLength) =>
        id.Length >= 1 && id.Length <= maxLength && !id.ContainsAnyExcept(Alphabet);
}
