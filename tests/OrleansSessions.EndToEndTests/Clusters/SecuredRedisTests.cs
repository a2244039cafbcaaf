using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>A Redis that takes only TLS and asks for a password, as its connection string says.</summary>
public sealed class SecuredRedisTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RedisTls _tls = new();

    [Fact]
    public async Task Question_IsAnswered_WithTlsAndAPassword()
    {
        await using var nodes = await StartAsync();
        await using var node = await ServerProcess.StartWithAsync(
            Trusting(), [.. nodes.Settings, "Responder:Name=echo", "Responder:Echo:Delay=00:00:00"]);

        var answer = await node.Http.AskAsync(Names.Session(), """{"question":"hello"}""", ("Prefer", "wait=20"));

        Assert.Equal("hello", answer.Body.GetProperty("text").GetString());
        Assert.DoesNotContain(_tls.Password, node.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Silo")]
    [InlineData("SocketGateway")]
    public async Task WrongPassword_IsNamed_AndNotPrinted(string role)
    {
        await using var nodes = await StartAsync();
        var wrong = nodes.Redis.ConnectionString.Replace(_tls.Password, "a-wrong-secret", StringComparison.Ordinal);

        await using var node = Launch(nodes, Trusting(), $"Server:Role={role}", $"Cluster:Redis={wrong}");

        Assert.Equal(1, await node.ExitAsync(Patience));
        Assert.Contains("The server cannot start: The Redis server in Cluster:Redis refuses the user or the password", node.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a-wrong-secret", node.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Silo")]
    [InlineData("SocketGateway")]
    public async Task CertificateOfAnUnknownAuthority_IsNamed_AndThePasswordIsNotPrinted(string role)
    {
        await using var nodes = await StartAsync();

        await using var node = Launch(nodes, [], $"Server:Role={role}");

        Assert.Equal(1, await node.ExitAsync(Patience));
        Assert.Contains(
            "The server cannot start: The TLS certificate of the Redis server in Cluster:Redis is not accepted.", node.Output, StringComparison.Ordinal);
        Assert.Contains("UntrustedRoot", node.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(_tls.Password, node.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Silo")]
    [InlineData("SocketGateway")]
    public async Task RedisThatIsGone_IsNamed_AndThePasswordIsNotPrinted(string role)
    {
        await using var nodes = await StartAsync();
        nodes.Redis.Kill();

        await using var node = Launch(nodes, Trusting(), $"Server:Role={role}");

        Assert.Equal(1, await node.ExitAsync(Patience));
        Assert.Contains("The server cannot start: The Redis server in Cluster:Redis cannot be reached.", node.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(_tls.Password, node.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _tls.Dispose();

    private Task<NodeSet> StartAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only on Linux does .NET trust what SSL_CERT_FILE names.");
        return NodeSet.StartAsync(RedisFlavour.RedisServer, _tls);
    }

    private Dictionary<string, string> Trusting() => new() { ["SSL_CERT_FILE"] = _tls.AuthorityFile };

    private static ChildProcess Launch(NodeSet nodes, Dictionary<string, string> environment, params string[] settings) => ServerProcess.Launch(
        "a server that cannot start",
        [RepositoryFolder.ServerDll, "--urls=http://127.0.0.1:0", .. nodes.Settings.Concat(settings).Select(setting => "--" + setting)],
        environment);
}
