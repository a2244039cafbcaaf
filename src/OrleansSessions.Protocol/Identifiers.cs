using System.Buffers;
using System.Security.Cryptography;

namespace OrleansSessions.Protocol;

/// <summary>The characters and lengths of the ids that clients choose.</summary>
public static class Identifiers
{
    /// <summary>The maximum length of a session id, in characters.</summary>
    public const int MaxSessionIdLength = 128;

    /// <summary>The maximum length of a question id, in characters.</summary>
    public const int MaxQuestionIdLength = 64;

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:@-");

    /// <summary>True for 1 to 128 characters of <c>A-Za-z0-9._~:@-</c>, except <c>.</c> and <c>..</c>, because proxies rewrite such paths.</summary>
    public static bool IsSessionId(ReadOnlySpan<char> id) =>
        IsWithin(id, MaxSessionIdLength) && id is not "." and not "..";

    /// <summary>True for 1 to 64 characters of <c>A-Za-z0-9._~:@-</c>, except <c>.</c> and <c>..</c>, because the id is part of a path too.</summary>
    public static bool IsQuestionId(ReadOnlySpan<char> id) =>
        IsWithin(id, MaxQuestionIdLength) && id is not "." and not "..";

    /// <summary>Creates a random question id, for a question that came without one.</summary>
    public static string NewQuestionId() => "q-" + RandomNumberGenerator.GetHexString(16, lowercase: true);

    private static bool IsWithin(ReadOnlySpan<char> id, int maxLength) =>
        id.Length >= 1 && id.Length <= maxLength && !id.ContainsAnyExcept(Alphabet);
}
