using System.Diagnostics;
using System.Net;
using System.Net.WebSockets;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
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

    [Fact]
    public async Task AStoppedNode_TakesNothingNew_FinishesWhatItHas_AndServesUntilThen()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (staying, leaving) = (await nodes.AddAsync(Settings), await nodes.AddAsync(Settings));
        var (asking, later) = (Names.Session("asking"), Names.Session("later"));
        var question = string.Join(' ', Enumerable.Range(1, 20).Select(number => $"word{number}"));
        await using var idle = await TestSocket.ConnectAsync(leaving.Socket(Names.Session("idle")));
        await using var basic = await TestSocket.ConnectAsync(leaving.Socket(asking));
        await using var stream = await EventStreamClient.OpenAsync(leaving.Http, $"/v1/sessions/{asking}/events");
        await stream.NextAsync("hello");
        await basic.SendAsync($$"""{"question":"{{question}}"}""");
        await UntilTextAsync(stream);

        var stopped = leaving.StopAsync();
        await UntilDrainingAsync(leaving);

        // 1. Nothing new on this node, and its balancer can see that.
        Assert.Equal(HttpStatusCode.OK, (await leaving.Http.GetAsync("/health/live")).StatusCode);
        var refused = await leaving.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{later}/events");
        refused.IsError(WireErrors.Draining);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        await using var late = await EventStreamClient.OpenAsync(leaving.Http, $"/v1/sessions/{later}/events");
        Assert.Equal(["reconnect"], (await late.RestAsync()).Select(last => last.Type));
        using var upgrade = new ClientWebSocket();
        upgrade.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => upgrade.ConnectAsync(leaving.Socket(later), CancellationToken.None));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, upgrade.HttpStatusCode);
        Assert.Equal(["1"], upgrade.HttpResponseHeaders!["Retry-After"]);

        // 2. Other requests are served, and their sessions are on another node.
        var asked = await leaving.Http.AskAsync(later, """{"question":"one two","id":"q-1"}""");
        Assert.Equal(HttpStatusCode.Accepted, asked.Status);

        // 3. A client that cannot follow its answer elsewhere gets it here. An event stream can.
        var answer = await basic.NextAsync();
        Assert.Equal(("response", question), (answer.Type(), answer.Text("data")));
        Assert.Equal(1012, await basic.ClosedAsync());
        Assert.Equal(1012, await idle.ClosedAsync());
        Assert.Equal("reconnect", (await stream.RestAsync())[^1].Type);
        Assert.Equal(0, await stopped);
        await Eventually.TrueAsync(async () => (await staying.Http.QuestionAsync(later, "q-1")).Text("status") == "completed", "the later question ends");
        var kept = await staying.Http.QuestionAsync(later, "q-1");
        Assert.Equal(("one two", 1L), (kept.Text("text"), kept.Number("attempt")));
    }

    [Fact]
    public async Task ASecondSignal_EndsTheDrain_AndTheAnswerGoesOnElsewhere()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        string[] patient = [.. Settings, "Server:DrainTimeout=00:10:00", "Responder:Echo:Delay=00:00:00.500"];
        var (staying, leaving) = (await nodes.AddAsync(patient), await nodes.AddAsync(patient));
        var session = Names.Session("drain");
        await using var stream = await EventStreamClient.AskAsync(leaving.Http, session, """{"question":"one two three four five six seven eight nine ten","id":"q-1"}""");
        await UntilTextAsync(stream);

        var stopped = leaving.StopAsync();
        await UntilDrainingAsync(leaving);
        leaving.StopAgain();
        Assert.Equal(0, await stopped);
        Assert.Contains("A second SIGTERM has arrived", leaving.Output, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await staying.Http.QuestionAsync(session, "q-1")).Text("status") == "completed", "the answer ends");
        var kept = await staying.Http.QuestionAsync(session, "q-1");
        Assert.Equal(("one two three four five six seven eight nine ten", 2L), (kept.Text("text"), kept.Number("attempt")));
    }

    [Fact]
    public async Task NodesThatStopTogether_SendNoOneAway_AndWaitForTheirAnswers()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        string[] settings = [.. Settings, "Server:DrainTimeout=00:00:20"];
        var (one, two) = (await nodes.AddAsync(settings), await nodes.AddAsync(settings));
        var (session, question) = (Names.Session("both"), string.Join(' ', Enumerable.Range(1, 50).Select(number => $"word{number}")));
        await using var client = new ReferenceClient(query => one.Socket(session, query));
        await client.ConnectAsync();
        var asked = await client.AskAsync(question);
        await client.PumpUntilAsync(() => asked.NextDelta >= 1, "some text");

        var stopped = Task.WhenAll(one.StopAsync(), two.StopAsync());
        await client.PumpUntilDoneAsync(asked);
        Assert.Equal((question, "completed", null), (asked.Answer.ToString(), asked.Status, client.Reconnect?.ToString()));
        Assert.Equal(4001, (await client.Socket.EndAsync()).Code);
        Assert.All(await stopped, code => Assert.Equal(0, code));
    }

    [Fact]
    public async Task TheOnlyNode_SendsNoOneAway_WaitsForItsAnswers_AndThenStops()
    {
        await using var server = await ServerProcess.StartAsync(Settings);
        var (session, question) = (Names.Session("only"), string.Join(' ', Enumerable.Range(1, 15).Select(number => $"word{number}")));
        await using var client = new ReferenceClient(query => server.Socket(session, query));
        await using var idle = new ReferenceClient(query => server.Socket(Names.Session("idle"), query));
        await client.ConnectAsync();
        await idle.ConnectAsync();
        var asked = await client.AskAsync(question);
        await client.PumpUntilAsync(() => asked.NextDelta >= 1, "some text");

        var stopped = server.StopAsync();
        Assert.Equal(4001, (await idle.Socket.EndAsync()).Code);
        await client.PumpUntilDoneAsync(asked);
        Assert.Equal((question, "completed", null), (asked.Answer.ToString(), asked.Status, client.Reconnect?.ToString()));
        Assert.Equal(4001, (await client.Socket.EndAsync()).Code);
        Assert.Equal(0, await stopped);
    }

    [Fact]
    public async Task ANodeWhoseStoreIsAway_StopsAllTheSame()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var node = await nodes.AddAsync([.. Settings, "Server:DrainTimeout=00:00:01"]);
        var session = Names.Session("drain");
        Assert.Equal(HttpStatusCode.Accepted, (await node.Http.AskAsync(session, """{"question":"one two three four five six seven eight nine ten"}""")).Status);
        nodes.Redis.Freeze();
        var began = Stopwatch.GetTimestamp();
        await node.StopAsync();

        // The drain, 5 s for the last writes, 2 s for the last sockets, and the 15 s of the rest.
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 0, 1 + 5 + 2 + 15 + 5);
    }

    private static Task UntilDrainingAsync(ServerProcess node) => Eventually.TrueAsync(
        async () => (await node.Http.GetAsync("/health/ready")).StatusCode == HttpStatusCode.ServiceUnavailable, "the node drains");

    private static async Task UntilTextAsync(EventStreamClient stream)
    {
        while ((await stream.NextAsync())?.Type != "delta")
        {
        }
    }
}
