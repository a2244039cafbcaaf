using OrleansSessions.Clustering;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>A node hangs, loses its sessions to the others, and goes on.</summary>
public sealed class ThawedNodeTests
{
    private const int Sockets = 10;

    /// <summary>The limit from the moment when the node goes on.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task ANodeThatHungAndGoesOn_IsGoneWithin5Seconds_CutsItsSockets_AndOverwritesNothing()
    {
        // 1. A question is half answered on a node, and sockets of that node wait for the rest.
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (one, two, hung) = await nodes.AddThreeAsync("Sessions:CheckpointInterval=00:00:00.100");
        var session = Names.Session();
        var sockets = new List<CheckedSocket>();
        for (var i = 0; i < Sockets; i++)
        {
            sockets.Add(await CheckedSocket.ConnectAsync(hung.Socket(session)));
            await sockets[i].ExpectAsync("hello");
        }

        await sockets[0].AskAsync("first", "q-1");
        await sockets[0].ExpectAsync("accepted");
        await hung.Http.AnswerAsync(session, "q-1", 0, "half ");

        // 2. It hangs. The others finish that question and another one.
        hung.Freeze();
        await Eventually.TrueAsync(
            async () => (await one.Http.QuestionAsync(session, "q-1")).Text("question") == "first", "a remaining node answers for the session");
        var taken = await one.Http.QuestionAsync(session, "q-1");
        await one.Http.AnswerAsync(session, "q-1", taken.Number("bytes")!.Value, "done", isFinal: true, (int)taken.Number("attempt")!.Value);
        await two.Http.AskAsync(session, """{"question":"second","id":"q-2"}""");
        await two.Http.AnswerAsync(session, "q-2", 0, "done, too", isFinal: true);
        var before = await QuestionsAsync(two, session);

        // 3. It goes on.
        var thawedAt = TimeProvider.System.GetTimestamp();
        hung.Thaw();
        foreach (var socket in sockets)
        {
            var end = await socket.EndAsync();
            Assert.Equal(CloseCodes.ServiceRestart, end.Code);
        }

        Assert.InRange(TimeProvider.System.GetElapsedTime(thawedAt), TimeSpan.Zero, Limit);
        Assert.Equal(ClusterEviction.ExitCode, await hung.ExitAsync(Limit - TimeProvider.System.GetElapsedTime(thawedAt)));

        // 4. What the others have stored is what they still have, and the node has told no one otherwise.
        Assert.Equal(before, await QuestionsAsync(one, session));
        Assert.Equal(before, await QuestionsAsync(two, session));
        Assert.DoesNotContain(sockets, socket => socket.Frames.Any(frame => frame.Contains("\"done\"", StringComparison.Ordinal)));
        Assert.Single(hung.Output.Split('\n'), line => line.Contains("accepts nothing more and stops", StringComparison.Ordinal));
        foreach (var socket in sockets)
        {
            await socket.DisposeAsync();
        }
    }

    private static async Task<string> QuestionsAsync(ServerProcess node, string session) =>
        (await node.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions")).Body.GetRawText();
}
