using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary>The sample with two nodes does what its page says.</summary>
public sealed class TwoNodesSampleTests
{
    private const string Question = "one two three four five";
    private static readonly TimeSpan FailoverPatience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task TwoNodesBehindNginx_FollowOneAnswer_AndOneGoesOnWhenTheOtherIsKilled()
    {
        await using var sample = await TwoNodesSample.StartAsync();
        var session = Names.Session();
        await using var asking = await ConnectAsync(sample.Both, session);
        await using var onA = await ConnectAsync(sample.A, session);
        await using var onB = await ConnectAsync(sample.B, session);

        var question = await asking.AskAsync(Question);
        await asking.PumpUntilDoneAsync(question);
        foreach (var following in new[] { onA, onB })
        {
            await following.PumpUntilAsync(() => following.Questions.ContainsKey(question.Id), "the question");
            await following.PumpUntilDoneAsync(following.Questions[question.Id]);
            Assert.Equal(Question, following.Questions[question.Id].Answer.ToString());
        }

        using (var node = Process.GetProcessById(sample.ProcessOf("node-a")))
        {
            node.Kill();
        }

        // A new session may fall to the lost node until the cluster has noticed; asking again with the same id is safe.
        var (other, body) = (Names.Session(), """{"question":"still there?","id":"q-1"}""");
        await Eventually.TrueAsync(
            async () => (await sample.Both.AskAsync(other, body, ("Prefer", "wait=10"))) is { Status: HttpStatusCode.OK } answer
                && answer.Body.Text("text") == "still there?",
            "node-b answers through nginx", FailoverPatience);
    }

    [Fact]
    public async Task WithoutNginxAndRedisServer_TheNodesRunAlone_AndNothingIsLeftBehind()
    {
        await using var sample = await TwoNodesSample.StartAsync(isBare: true);
        Assert.Contains("nginx is not installed", sample.Output, StringComparison.Ordinal);
        var session = Names.Session();

        var asked = await sample.A.AskAsync(session, """{"question":"hello","id":"q-1"}""", ("Prefer", "wait=10"));
        var read = await sample.B.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions/q-1");
        await sample.StopAsync();

        Assert.Equal(("hello", "hello"), (asked.Body.Text("text"), read.Body.Text("text")));
        foreach (var part in new[] { "redis", "node-a", "node-b" })
        {
            Assert.Throws<ArgumentException>(() => Process.GetProcessById(sample.ProcessOf(part)));
        }
    }

    [Fact]
    public async Task PortThatIsTaken_IsNamed_AndNothingIsStarted()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var script = TwoNodesSample.LaunchWithTakenPort(port);

        Assert.Equal(1, await script.ExitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains($"Port {port} is taken", script.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("process", script.Output, StringComparison.Ordinal);
    }

    private static async Task<ReferenceClient> ConnectAsync(HttpClient node, string session)
    {
        var client = new ReferenceClient(query => new UriBuilder(node.BaseAddress!) { Scheme = "ws", Path = $"/ws/{session}", Query = query }.Uri);
        await client.ConnectAsync();
        return client;
    }
}
