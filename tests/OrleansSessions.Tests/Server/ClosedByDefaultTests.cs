using OrleansSessions.Server;
using OrleansSessions.Server.Authentication;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Hosting;
using OrleansSessions.SocketGateway.Access;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>A server that other machines can reach starts only with authentication, or if its operator says that it needs none.</summary>
public sealed class ClosedByDefaultTests
{
    private const string AnyKey = "--Auth:ApiKeys:a=0000000000000000000000000000000000000000000000000000000000000000";

    [Theory]
    [InlineData(true, "http://localhost:5080")]
    [InlineData(true, "http://LOCALHOST:5080")]
    [InlineData(true, "http://chat.localhost:5080")]
    [InlineData(true, "http://127.0.0.1:5080")]
    [InlineData(true, "https://127.8.9.10:5080")]
    [InlineData(true, "http://[::1]:5080")]
    [InlineData(true, "http://unix:/run/sessions.sock")]
    [InlineData(true, "not an address")]
    [InlineData(false, "http://*:5080")]
    [InlineData(false, "http://+:5080")]
    [InlineData(false, "http://0.0.0.0:5080")]
    [InlineData(false, "http://[::]:5080")]
    [InlineData(false, "https://*:5443")]
    [InlineData(false, "http://192.0.2.7:5080")]
    [InlineData(false, "http://[2001:db8::7]:5080")]
    [InlineData(false, "http://chat.example.com:5080")]
    [InlineData(false, "http://localhost.example.com:5080")]
    [InlineData(false, "http://notlocalhost:5080")]
    [InlineData(false, "http://[127.0.0.1]:5080")]
    public void Address_IsLoopback_OnlyIfNoOtherMachineCanReachIt(bool isLoopback, string address)
    {
        Assert.Equal(isLoopback, ClosedByDefault.IsLoopback(address));
        Assert.Equal(isLoopback, ClosedByDefault.FindMistake(ServerRole.All, ["http://localhost:1", address], new(), new()) is null);
    }

    [Theory]
    [InlineData("http://*:5080", "--urls=http://*:5080")]
    [InlineData("http://0.0.0.0:5080 and http://192.0.2.7:1", "--urls=http://localhost:1;http://0.0.0.0:5080;http://192.0.2.7:1")]
    [InlineData("http://*:8080", "--http_ports=8080")]
    [InlineData("http://*:8080 and https://*:8443", "--http_ports=8080", "--https_ports=8443")]
    [InlineData("http://0.0.0.0:5080", "--Kestrel:Endpoints:A:Url=http://localhost:1", "--Kestrel:Endpoints:B:Url=http://0.0.0.0:5080")]
    [InlineData("http://*:5080", "--Kestrel:Endpoints:A:Url=http://localhost:1", "--urls=http://*:5080", "--preferHostingUrls=true")]
    public void Start_OnAnOpenAddress_IsAMistakeThatNamesTheAddressAndWhatToSet(string addresses, params string[] arguments)
    {
        var error = Assert.Single(ErrorsOf(arguments));

        Assert.Contains($"at {addresses}. ", error, StringComparison.Ordinal);
        Assert.All(
            ["Auth:Jwt:Authority", "Auth:Jwt:Keys", "Auth:ApiKeys", "Auth:AllowAnonymous=true"], key => Assert.Contains(key, error, StringComparison.Ordinal));
    }

    [Fact]
    public void Start_OnAnOpenAddress_IsReportedWithTheOtherMistakes()
    {
        var errors = ErrorsOf("--urls=http://*:5080", "--Responder:Name=gpt", "--Server:KnownProxies:0=10.0.0.0/99", "--Auth:AllowAnonymous=perhaps");

        Assert.Equal(
            ["Auth:AllowAnonymous is 'perhaps'", "Server:KnownProxies is '10.0.0.0/99'", "Responder:Name is 'gpt'", "This server has no authentication"],
            errors.Select(error => error.Split("; ")[0].Split(",")[0]), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("--urls=http://*:5080", "--Auth:AllowAnonymous=true")]
    [InlineData("--urls=http://*:5080", AnyKey)]
    [InlineData("--urls=http://*:5080", "--Auth:Jwt:Authority=https://a.example", "--Auth:Jwt:Audience=s")]
    [InlineData("--urls=http://*:5080", "--Auth:Jwt:Keys:a=01234567890123456789012345678901", "--Auth:Jwt:Audience=s", "--Auth:Jwt:Issuer=i")]
    [InlineData("--Kestrel:Endpoints:A:Url=http://localhost:1", "--urls=http://*:5080")]
    [InlineData("--Kestrel:Endpoints:A:Url=http://localhost:1", "--Server:ManagementPort=9090")]
    public async Task Build_OnAnOpenAddress_WithAuthentication_OrDeliberatelyWithout_Succeeds(params string[] arguments)
    {
        await using var app = ServerBuilder.Build(arguments);
    }

    [Fact]
    public void Silo_IsExempt()
    {
        Assert.Null(ClosedByDefault.FindMistake(ServerRole.Silo, ["http://*:8080"], new AuthOptions(), new JwtOptions()));
        Assert.NotNull(ClosedByDefault.FindMistake(ServerRole.SocketGateway, ["http://*:8080"], new AuthOptions(), new JwtOptions()));
    }

    private static IReadOnlyList<string> ErrorsOf(params string[] args) =>
        Assert.Throws<ConfigurationErrorException>(() => ServerBuilder.Build(args)).Errors;
}
