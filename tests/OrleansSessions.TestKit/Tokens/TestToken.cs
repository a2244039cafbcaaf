using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OrleansSessions.TestKit.Tokens;

/// <summary>A JSON Web Token as a test wants it, valid or not. Written without a library, so that tests can sign what no library would.</summary>
public sealed record TestToken
{
    public const string DefaultIssuer = "https://issuer.test";
    public const string DefaultAudience = "sessions";
    private static readonly DateTimeOffset Unspecified = DateTimeOffset.MinValue;

    public string? Issuer { get; init; } = DefaultIssuer;

    public string? Audience { get; init; } = DefaultAudience;

    public string? Subject { get; init; } = "alice";

    public string? Scope { get; init; }

    public string? KeyId { get; init; }

    /// <summary>When the token expires. Default in an hour; null for a token that never expires.</summary>
    public DateTimeOffset? ExpiresAt { get; init; } = Unspecified;

    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Signs with a shared key.</summary>
    public string SignedWith(byte[] key) => Sign("HS256", bytes => HMACSHA256.HashData(key, bytes));

    /// <summary>Signs with a shared key that is given as text.</summary>
    public string SignedWith(string key) => SignedWith(Encoding.UTF8.GetBytes(key));

    /// <summary>Signs with a private key.</summary>
    public string SignedWith(RSA key) => Sign("RS256", bytes => key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    /// <summary>Signs not at all, and says so.</summary>
    public string WithoutSignature() => Sign("none", _ => []);

    private string Sign(string algorithm, Func<byte[], byte[]> sign)
    {
        var expiresAt = ExpiresAt == Unspecified ? TimeProvider.System.GetUtcNow().AddHours(1) : ExpiresAt;
        var claims = new Dictionary<string, object?>
        {
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["sub"] = Subject,
            ["scope"] = Scope,
            ["exp"] = expiresAt?.ToUnixTimeSeconds(),
            ["nbf"] = NotBefore?.ToUnixTimeSeconds(),
        };
        var head = new Dictionary<string, object?> { ["alg"] = algorithm, ["typ"] = "JWT", ["kid"] = KeyId };
        var text = $"{Encode(head)}.{Encode(claims)}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    private static string Encode(Dictionary<string, object?> part) =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part.Where(field => field.Value is not null).ToDictionary()));
}
