using OrleansSessions.EndToEndTests.Access;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Tokens;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The Python package asks a real server. The script in <c>python/package</c> says what is expected.</summary>
public sealed class PythonAskingTests(PythonAskingServer server) : IClassFixture<PythonAskingServer>
{
    private const string Line = "python3 samples/python-script/ask.py http://localhost:5080 demo \"What is a silo?\"";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public Task Asking_OverBrokenConnections_WithOtherClients_WithTokens_AndOverTls() => server.RunAsync(
        "asking.py", ("TOKEN_KEY", AccessServerFixture.Key), ("TOKEN_ISSUER", TestToken.DefaultIssuer), ("TOKEN_AUDIENCE", TestToken.DefaultAudience));

    [Theory]
    [InlineData("samples/python-script/README.md")]
    [InlineData("samples/python-script/ask.py")]
    public async Task SampleDocument_StartsItWithTheLineThatIsTested(string document) => Assert.Contains(
        Line, await File.ReadAllTextAsync(Path.Combine(RepositoryFolder.Path, document), TestContext.Current.CancellationToken), StringComparison.Ordinal);

    [Fact]
    public async Task Sample_PrintsTheAnswerWhileItArrives_AndSaysThatItWasCancelled()
    {
        var session = Names.Session();
        var token = new TestToken().SignedWith(AccessServerFixture.Key);
        string[] arguments = [Line.Split(' ')[1], server.Server.Address.AbsoluteUri, session, string.Join('\n', Enumerable.Range(1, 2000))];
        await using var sample = PythonInterpreter.Start(
            await PythonInterpreter.RequireAsync(), arguments, RepositoryFolder.Path, new Dictionary<string, string> { ["SESSIONS_TOKEN"] = token });
        await sample.UntilAsync(() => Task.FromResult(sample.Output.Contains("\n3\n", StringComparison.Ordinal)), "it prints the first lines", Patience);

        await using (var other = await CheckedSocket.ConnectAsync(
            server.Server.Socket(session, "v=1"), configure: options => options.SetRequestHeader("Authorization", $"Bearer {token}")))
        {
            await other.ExpectAsync("hello");
            await other.CancelAsync();
            await other.UntilAsync("done");
        }

        Assert.Equal(1, await sample.ExitAsync(Patience));
        Assert.Contains("[cancelled: A client cancelled the question.]", sample.Output, StringComparison.Ordinal);
    }
}
