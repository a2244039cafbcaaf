using OrleansSessions.Server.Authentication;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Hosting;
using Xunit;

namespace OrleansSessions.Tests.Server;

public sealed class JwtOptionsTests
{
    private const string Secret = "a-secret-that-nobody-may-ever-read-in-a-log";

    public static TheoryData<string[], string[]> Mistakes => new()
    {
        { ["Authority=https://login.example.com"], ["Auth:Jwt:Audience is ''; it must be the name of this server"] },
        { ["Authority=login.example.com", "Audience=s"], ["Auth:Jwt:Authority is 'login.example.com'; it must be an address"] },
        { ["Authority=http://login.example.com", "Audience=s"], ["Auth:Jwt:Authority is 'http://login.example.com'; it must use https"] },
        {
            ["Authority=http://localhost:8080", "Audience=s", "RequireHttpsMetadata=true"],
            ["Auth:Jwt:Authority is 'http://localhost:8080'; it must use https"]
        },
        { ["Authority=https://a.example", "Audience=s", "Issuer=i"], ["Auth:Jwt:Issuer is 'i', but Auth:Jwt:Authority is set"] },
        { ["Authority=https://a.example", "Audience=s", $"Keys:a={Secret}"], ["Auth:Jwt:Authority and Auth:Jwt:Keys are both set"] },
        { [$"Keys:a={Secret}", "Audience=s"], ["Auth:Jwt:Issuer is ''; it must be the claim 'iss'"] },
        { [$"Keys:a={Secret}", "Audience= , ", "Issuer=i"], ["Auth:Jwt:Audience is ' , '; it must be the name of this server"] },
        { ["Audience=s"], ["Auth:Jwt:Audience is 's', but neither Auth:Jwt:Authority nor Auth:Jwt:Keys is set"] },
        { ["Issuer=i"], ["Auth:Jwt:Issuer is 'i', but neither Auth:Jwt:Authority nor Auth:Jwt:Keys is set"] },
        { ["ClockSkew=00:11:00"], ["Auth:Jwt:ClockSkew is 00:11:00; it must be from 00:00:00 to 00:10:00"] },
        { ["RequireHttpsMetadata=perhaps"], ["Auth:Jwt:RequireHttpsMetadata is 'perhaps'; it must be true or false"] },
        { ["Key=x"], ["Auth:Jwt:Key is not a known key"] },
        {
            ["Keys:short=0123456789012345678901234567890", "Keys:broken=base64:?", $"Keys:few=base64:{"AAAA"}", $"Keys:good={Secret}"],
            [
                "Auth:Jwt:Audience is ''", "Auth:Jwt:Issuer is ''", "Auth:Jwt:Keys:broken is not valid", "Auth:Jwt:Keys:few is not valid",
                "Auth:Jwt:Keys:short is not valid",
            ]
        },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Start_WithAMistake_NamesEachOnce(string[] settings, string[] beginnings)
    {
        var errors = ErrorsOf([.. settings.Select(setting => $"--Auth:Jwt:{setting}")]);

        Assert.Equal(beginnings.Length, errors.Count);
        Assert.All(beginnings, beginning => Assert.Single(errors, error => error.StartsWith(beginning, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData($"--Auth:Jwt:Keys={Secret}")]
    [InlineData($"--Auth:Jwt:Keys:a:b={Secret}")]
    [InlineData($"--Auth:Jwt:Key={Secret}")]
    [InlineData($"--Auth:Jwt:Keys:a=base64:{Secret}")]
    [InlineData($"--Auth:ApiKeys={Secret}")]
    [InlineData($"--Auth:ApiKeys:a={Secret}")]
    public void Start_WithASecretInTheWrongPlace_DoesNotRepeatIt(string argument) =>
        Assert.DoesNotContain(ErrorsOf(argument), error => error.Contains(Secret, StringComparison.Ordinal));

    [Fact]
    public void Start_WithOneApiKeyUnderTwoNames_NamesThem_AndDoesNotRepeatTheHash()
    {
        var (first, other) = (new string('a', 64), new string('b', 64));

        var errors = ErrorsOf(
            $"--Auth:ApiKeys:new={first} sessions:admin", $"--Auth:ApiKeys:old={first.ToUpperInvariant()}", $"--Auth:ApiKeys:z={other}");

        var error = Assert.Single(errors);
        Assert.StartsWith("Auth:ApiKeys:new and Auth:ApiKeys:old are the same key; ", error, StringComparison.Ordinal);
        Assert.DoesNotContain(first, error, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("--Auth:Jwt:Authority=https://a.example", "--Auth:Jwt:Audience=s")]
    [InlineData("--Auth:Jwt:Authority=http://127.0.0.1:8080/realm", "--Auth:Jwt:Audience=s,t")]
    [InlineData("--Auth:Jwt:Authority=http://a.example", "--Auth:Jwt:Audience=s", "--Auth:Jwt:RequireHttpsMetadata=false")]
    [InlineData("--Auth:Jwt:Keys:a=base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "--Auth:Jwt:Audience=s", "--Auth:Jwt:Issuer=i")]
    public async Task Build_WithoutAMistake_Succeeds(params string[] arguments)
    {
        await using var app = ServerBuilder.Build(arguments);
    }

    [Theory]
    [InlineData("text of 13 by", 13)]
    [InlineData("AAECAwQF", 8)]
    [InlineData("base64:AAECAwQF", 6)]
    [InlineData("base64:AAE", null)]
    public void Secret_IsTextUnlessItSaysBase64(string value, int? length) => Assert.Equal(length, SigningSecret.Decode(value)?.Length);

    private static IReadOnlyList<string> ErrorsOf(params string[] args) =>
        Assert.Throws<ConfigurationErrorException>(() => ServerBuilder.Build(args)).Errors;
}
