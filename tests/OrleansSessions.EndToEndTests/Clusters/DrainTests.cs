using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>A node of a cluster is stopped while it answers.</summary>
public sealed class DrainTests
{
    private const int Sessions = 10;

    private static readonly string[] Settings =
        ["Responder:Name=echo", "Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00.100", "Server:DrainTimeout=00:00:04"];

    [Theory]
    [InlineData(30, 1)]
    [InlineData(90, 2)]
    public async Task AStoppedNode_SendsItsV1ClientsToAnother_AndTheirAnswersGoOn(int words, int attempt)
    {
        // 1. Answers run on the node that will be stopped.
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (staying, leaving) = (await nodes.AddAsync(Settings), await nodes.AddAsync(Settings));
        var question = string.Join(' ', Enumerable.Range(1, words).Select(number => $"word{number}"));
        var clients = new List<(string Session, ReferenceClient Client, ReferenceQuestion Asked)>();
        var where = leaving;
        for (var i = 0; i < Sessions; i++)
        {
            var session = Names.Session("drain");
            var client = new ReferenceClient(query => where.Socket(session, query));
            await client.ConnectAsync();
            var asked = await client.AskAsync(question);
            await client.PumpUntilAsync(() => asked.NextDelta >= 1, "some text");
            clients.Add((session, client, asked));
        }

        // 2. It is stopped. Every client is told where to go, and has both connections until the new one is live.
        where = staying;
        var stopped = leaving.StopAsync();
        await Task.WhenAll(clients.Select(async entry =>
        {
            await entry.Client.PumpUntilAsync(() => entry.Client.Reconnect is not null, "reconnect");
            Assert.Equal("draining", entry.Client.Reconnect!.Value.Text("reason"));
            Assert.InRange(entry.Client.Reconnect.Value.Number("delay_ms")!.Value, 0, 2000);
            await entry.Client.MoveAsync();
            await entry.Client.PumpUntilDoneAsync(entry.Asked);
        }));
        Assert.Equal(0, await stopped);

        // 3. Every answer is whole. A planned move is no failure, though it is another attempt.
        foreach (var (session, client, asked) in clients)
        {
            Assert.Equal((question, "completed"), (asked.Answer.ToString(), asked.Status));
            var kept = await staying.Http.QuestionAsync(session, asked.Id);
            Assert.Equal((question, attempt), (kept.Text("text"), kept.Number("attempt")));
            await client.DisposeAsync();
        }
    }
}
