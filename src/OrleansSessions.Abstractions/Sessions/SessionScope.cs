using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace OrleansSessions.Sessions;

/// <summary>Separates the sessions of different callers: the same session id in two scopes names two sessions.</summary>
public static class SessionScope
{
    /// <summary>The scope of callers without an identity.</summary>
    public const string Anonymous = "";

    private const string Prefix = "s.";
    private const int HashChars = 43;

    // Base64Url.IsValid() allows white space and padding, and a scope reaches keys, addresses and logs as it is.
    private static readonly SearchValues<char> HashAlphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>
    /// Returns the scope of a caller: <c>s.</c> and the unpadded base64url of the SHA-256 of issuer, newline and subject in UTF-8. It is 45 characters long
    /// and safe in keys and addresses, whatever characters a subject contains.
    /// </summary>
    /// <param name="issuer">Who vouches for the caller: the <c>iss</c> of a token. It contains no newline.</param>
    /// <param name="subject">Who the caller is for that issuer: the <c>sub</c> of a token, or the claim that several callers share.</param>
    public static string Of(string issuer, string subject) =>
        Prefix + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{issuer}\n{subject}")));

    /// <summary>True for <see cref="Anonymous"/>, and for whatever <see cref="Of"/> can return.</summary>
    public static bool IsValid(string scope) =>
        scope == Anonymous
        || (scope.Length == Prefix.Length + HashChars && scope.StartsWith(Prefix, StringComparison.Ordinal)
            && scope.AsSpan(Prefix.Length).IndexOfAnyExcept(HashAlphabet) < 0);
}
