using System.Net;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Tokens;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>A server whose tokens come from an OpenID Connect authority.</summary>
public sealed class AuthorityTests(AuthorityTests.Fixture fixture) : IClassFixture<AuthorityTests.Fixture>
{
    private static readonly TestToken Good = new();

    private TestAuthority Authority => fixture.Authority;

    [Fact]
    public async Task TokenOfTheAuthority_IsLetIn()
    {
        using var reply = await fixture.Server.DescribeAsync(Authority.Issue(Good));
        await using var page = await fixture.Server.ConnectAsPageAsync(Authority.Issue(Good));

        Assert.Equal(HttpStatusCode.NotFound, reply.StatusCode);
        Assert.NotNull((await page.ExpectAsync("hello")).Number("token_expires_in_ms"));
    }

    [Fact]
    public async Task TokenOfTheAuthority_ForAnotherApplication_OrOfAnotherIssuer_IsUnauthorized()
    {
        await using var other = await TestAuthority.StartAsync();
        foreach (var token in new[] { Authority.Issue(Good with { Audience = "other-application" }), other.Issue(Good) })
        {
            using var reply = await fixture.Server.DescribeAsync(token);
            await RunningServer.RefusedAsync(WireErrors.Unauthorized, reply);
        }
    }

    [Fact]
    public async Task TokenSignedWithThePublicKeyAsASharedSecret_OrNotSigned_IsUnauthorized()
    {
        var forged = Good with { Issuer = Authority.Address, KeyId = "rsa-1" };
        foreach (var token in Authority.PublicKeys.Select(forged.SignedWith).Append(forged.WithoutSignature()))
        {
            using var reply = await fixture.Server.DescribeAsync(token);
            await RunningServer.RefusedAsync(WireErrors.Unauthorized, reply);
        }
    }

    [Fact]
    public async Task AuthorityThatCannotBeReached_IsAFaultThatPasses_NotARefusal()
    {
        await using var authority = await TestAuthority.StartAsync();
        authority.IsAvailable = false;
        await using var server = await RunningServer.StartAsync($"Auth:Jwt:Authority={authority.Address}", $"Auth:Jwt:Audience={TestToken.DefaultAudience}");

        using var reply = await server.DescribeAsync(authority.Issue(Good));
        await using var page = await server.ConnectAsPageAsync(authority.Issue(Good));

        await RunningServer.RefusedAsync(WireErrors.Internal, reply);
        await page.ExpectErrorAsync(WireErrors.Internal);
        Assert.Equal(CloseCodes.InternalError, (await page.EndAsync()).Code);
        Assert.Contains("status 503", Assert.Single(server.Log.From("AuthorityCheck")).Message, StringComparison.Ordinal);
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal TestAuthority Authority { get; private set; } = null!;

        internal RunningServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Authority = await TestAuthority.StartAsync();
            Server = await RunningServer.StartAsync($"Auth:Jwt:Authority={Authority.Address}", $"Auth:Jwt:Audience={TestToken.DefaultAudience}");
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await Authority.DisposeAsync();
        }
    }
}
