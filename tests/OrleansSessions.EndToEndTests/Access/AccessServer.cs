using System.Security.Cryptography;
using System.Text;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Tokens;

namespace OrleansSessions.EndToEndTests.Access;

/// <summary>A server with a shared key and API keys, that answers slowly enough to watch.</summary>
public sealed class AccessServerFixture() : ServerFixture(Settings)
{
    public const string Key = "the-shared-key-of-the-end-to-end-tests";
    public const string PlainKey = "the-api-key-of-a-page";
    public const string AnswerKey = "the-api-key-of-a-back-end";
    public const string AdminKey = "the-api-key-of-an-operator";

    public static string[] Settings { get; } =
    [
        $"Auth:Jwt:Issuer={TestToken.DefaultIssuer}", $"Auth:Jwt:Audience={TestToken.DefaultAudience}", $"Auth:Jwt:Keys:a={Key}", "Auth:Jwt:ClockSkew=00:00:00",
        $"Auth:ApiKeys:page={Hash(PlainKey)}", $"Auth:ApiKeys:back-end={Hash(AnswerKey)} sessions:answer",
        $"Auth:ApiKeys:operator={Hash(AdminKey)} sessions:admin",
        "Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00.01",
    ];

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
