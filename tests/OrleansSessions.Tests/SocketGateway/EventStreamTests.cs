using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Responders;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>Server-sent events: the same frames as on a v1 socket, over HTTP.</summary>
public sealed class EventStreamTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _session = GatewayFixture.NewSession();
    private SocketHost? _own;

    private HttpClient Http => (_own ?? gateway.Host).Http;

    private string Events => $"/v1/sessions/{_session}/events";

    private AnswerScript Script => gateway.Cluster.Responder.For(_session);

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? default;

    [Fact]
    public async Task Stream_CarriesTheFramesOfASocket_WithPositionsAsIds()
    {
        await using var stream = await EventStreamClient.OpenAsync(Http, Events);
        var hello = await stream.NextAsync("hello");
        Assert.Equal($"{hello.Frame.Text("epoch")}.0", hello.Id);
        Assert.Equal("no-cache", stream.Response.Headers.CacheControl!.ToString());
        Assert.Equal(["no"], stream.Response.Headers.GetValues("X-Accel-Buffering"));

        await AskAsync("q-1");
        Script.Send("Hello");
        var accepted = await stream.NextAsync("accepted");
        var delta = await stream.NextAsync("delta");
        Script.Finish();
        var done = await stream.NextAsync("done");
        var epoch = hello.Frame.Text("epoch");
        Assert.Equal([$"{epoch}.1", $"{epoch}.2", $"{epoch}.3"], [accepted.Id, delta.Id, done.Id]);
        Assert.Equal(("Hello", "completed"), (delta.Frame.Text("text"), done.Frame.Text("status")));
    }

    [Fact]
    public async Task Snapshot_HasNoId_BecauseItMovesNoPosition()
    {
        await AskAsync("q-1");
        Script.Send("half of it");
        await Eventually.TrueAsync(async () => (await QuestionAsync("q-1")).Text("text") == "half of it", "the text is there");

        await using var stream = await EventStreamClient.OpenAsync(Http, Events);
        await stream.NextAsync("hello");
        var snapshot = await stream.NextAsync("snapshot");
        Assert.Equal(("half of it", ""), (snapshot.Frame.Text("text"), snapshot.Id ?? ""));
        Script.Finish();
    }

    [Fact]
    public async Task Resume_ByLastEventId_ReplaysWhatCameAfterIt_AndWinsOverTheUrl()
    {
        Script.Send("a").Finish();
        await AskAsync("q-1");
        await EndedAsync("q-1");
        var epoch = (await QuestionAsync("q-1")).Text("epoch");

        await using var stream = await EventStreamClient.OpenAsync(Http, $"{Events}?epoch={epoch}&after=0", $"{epoch}.1");
        Assert.True((await stream.NextAsync("hello")).Frame.Flag("resuming"));
        var delta = await stream.NextAsync("delta");
        Assert.Equal(($"{epoch}.2", true), (delta.Id, delta.Frame.Flag("replay")));
        await stream.NextAsync("done");
        var resumed = await stream.NextAsync("resumed");
        Assert.Equal(($"{epoch}.3", true), (resumed.Id, resumed.Frame.Flag("recovered")));
    }

    [Fact]
    public async Task Resume_FromAnEpochThatIsGone_IsNotRecovered_AndGivesASnapshot()
    {
        Script.Send("a").Finish();
        await AskAsync("q-1");
        await EndedAsync("q-1");

        await using var stream = await EventStreamClient.OpenAsync(Http, $"{Events}?epoch=e1&after=1");
        await stream.NextAsync("hello");
        Assert.Equal("epoch_changed", (await stream.NextAsync("resumed")).Frame.Text("reason"));
        Assert.Equal("a", (await stream.NextAsync("snapshot")).Frame.Text("text"));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("e1.x")]
    [InlineData("e1.9007199254740992")]
    public async Task Resume_FromAnInvalidId_IsABadRequest(string id)
    {
        using var refused = await EventStreamClient.GetAsync(Http, Events, id);
        var problem = JsonSerializer.Deserialize<JsonElement>(await refused.Content.ReadAsStringAsync());
        Assert.Equal((HttpStatusCode.BadRequest, "Last-Event-ID"), (refused.StatusCode, problem.Text("param")));
    }

    [Fact]
    public async Task StreamOfAQuestion_EndsWithItsDone_AndTheNextConnectGets204()
    {
        await AskAsync("q-1");
        await using var stream = await EventStreamClient.OpenAsync(Http, $"{Events}?question=q-1");
        Script.Send("a").Finish();

        var all = await stream.RestAsync();
        Assert.Equal("done", all[^1].Type);
        using var again = await EventStreamClient.GetAsync(Http, $"{Events}?question=q-1", all[^1].Id);
        Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
    }

    [Fact]
    public async Task StreamOfAQuestionThatHasEnded_IsItsSnapshot()
    {
        Script.Send("a").Finish();
        await AskAsync("q-1");
        await EndedAsync("q-1");

        await using var stream = await EventStreamClient.OpenAsync(Http, $"{Events}?question=q-1");
        await stream.NextAsync("hello");
        var snapshot = await stream.NextAsync("snapshot");
        Assert.Equal(("a", "completed"), (snapshot.Frame.Text("text"), snapshot.Frame.Text("status")));
        Assert.Null(await stream.NextAsync());
    }

    [Fact]
    public async Task StreamOfAnEndedQuestion_WhoseEventsCannotBeReplayed_StillEnds()
    {
        Script.Send("a").Finish();
        await AskAsync("q-1");
        await EndedAsync("q-1");
        gateway.Cluster.Responder.For(_session + "2").Send("b").Finish();
        await AskAsync("q-2", _session + "2");
        await EndedAsync("q-2");

        await using var stream = await EventStreamClient.OpenAsync(Http, $"{Events}?question=q-1&epoch=e1&after=1");
        var all = await stream.RestAsync();
        Assert.Equal(("snapshot", "q-1", "a"), (all[^1].Type, all[^1].Frame.Text("question_id"), all[^1].Frame.Text("text")));
    }

    [Fact]
    public async Task StreamOfAnUnknownQuestion_IsNotFound_AndGets204WhenItReconnects()
    {
        using var first = await EventStreamClient.GetAsync(Http, $"{Events}?question=q-9");
        Assert.Equal(HttpStatusCode.NotFound, first.StatusCode);
        await AskAsync("q-1");
        using var back = await EventStreamClient.GetAsync(Http, $"{Events}?question=q-9", "e1.5");
        Assert.Equal(HttpStatusCode.NoContent, back.StatusCode);
        Script.Finish();
    }

    [Fact]
    public async Task RemovedSession_SendsAnError_AndTheNextConnectGets204()
    {
        await using var stream = await EventStreamClient.OpenAsync(Http, Events);
        await stream.NextAsync("hello");
        await AskAsync("q-1");
        var accepted = await stream.NextAsync("accepted");
        using var removed = await Http.DeleteAsync($"/v1/sessions/{_session}");

        var rest = await stream.RestAsync();
        Assert.Equal(["done", "error"], rest.Select(frame => frame.Type));
        Assert.Equal("session_removed", rest[^1].Frame.Text("code"));
        foreach (var id in new[] { accepted.Id, rest[^1].Id })
        {
            using var again = await EventStreamClient.GetAsync(Http, Events, id);
            Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
        }
    }

    [Fact]
    public async Task Ask_AcceptingAStream_StreamsThatAnswerAlone()
    {
        await AskAsync("q-1");
        var second = gateway.Cluster.Responder.For(_session + "-second").Send("mine").Finish();
        await using var stream = await EventStreamClient.AskAsync(
            Http, _session, $$"""{"id":"q-2","question":"{{second.Question}}","if_busy":"queue"}""");
        Assert.Equal($"/v1/sessions/{_session}/questions/q-2", stream.Response.Headers.Location!.ToString());
        Script.Send("not mine").Finish();

        var all = await stream.RestAsync();
        Assert.DoesNotContain(all, frame => frame.Frame.Text("question_id") == "q-1");
        Assert.Equal(["accepted", "delta", "done"], all.Select(frame => frame.Type).Where(type => type is not ("hello" or "resumed")));
        Assert.Equal("mine", all.Single(frame => frame.Type == "delta").Frame.Text("text"));
        Assert.Null(all.Single(frame => frame.Type == "accepted").Frame.Text("question"));
    }

    [Fact]
    public async Task Ask_AcceptingAStream_WithAKnownId_StreamsTheSameAnswerAgain()
    {
        Script.Send("once").Finish();
        await AskAsync("q-1");
        await EndedAsync("q-1");

        await using var stream = await EventStreamClient.AskAsync(Http, _session, $$"""{"id":"q-1","question":"{{_session}}"}""");
        var all = await stream.RestAsync();
        Assert.Equal(("done", 1), (all[^1].Type, Script.Runs));
        Assert.Equal("once", all.Single(frame => frame.Type == "delta").Frame.Text("text"));
    }

    [Fact]
    public async Task Ask_AcceptingAStream_WhileTheSessionIsBusy_IsAProblemDocument()
    {
        await AskAsync("q-1");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => EventStreamClient.AskAsync(Http, _session, """{"question":"b"}"""));
        Assert.Contains("409", refused.Message, StringComparison.Ordinal);
        Assert.Contains("session_busy", refused.Message, StringComparison.Ordinal);
        Script.Finish();
    }

    [Fact]
    public async Task SilentStream_GetsACommentEvery15Seconds_AndNoPing()
    {
        var clock = new FakeTimeProvider();
        _own = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, configureHost: host => host.Services.AddSingleton<TimeProvider>(clock));
        using var response = await EventStreamClient.GetAsync(Http, Events);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8);
        var hello = await LinesAsync(reader, 3);
        Assert.StartsWith("id: ", hello[0], StringComparison.Ordinal);

        for (var comments = 0; comments < 2; comments++)
        {
            var comment = LinesAsync(reader, 2);
            var silence = TimeSpan.Zero;
            await Eventually.TrueAsync(
                () =>
                {
                    if (!comment.IsCompleted && silence < TimeSpan.FromSeconds(16))
                    {
                        clock.Advance(TimeSpan.FromSeconds(1));
                        silence += TimeSpan.FromSeconds(1);
                    }

                    return comment.IsCompleted;
                },
                "a comment comes after 15 s of silence");
            Assert.Equal([": ", ""], await comment);
            Assert.InRange(silence, TimeSpan.FromSeconds(14), TimeSpan.FromSeconds(16));
        }
    }

    [Fact]
    public async Task ReaderThatStopsReading_IsCut_AndHoldsUpNoOne()
    {
        var clock = new FakeTimeProvider();
        _own = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, configureHost: host => host.Services.AddSingleton<TimeProvider>(clock));
        using var deaf = await EventStreamClient.GetAsync(Http, Events);
        await using var socket = await _own.ConnectV1Async(_session);
        var metrics = _own.Services.GetRequiredService<SocketGatewayMetrics>();
        await Eventually.TrueAsync(() => metrics.ActiveConnections == 2, "both are connected");

        var reading = socket.ClosedAsync();
        for (var asked = 0; asked < 24; asked++)
        {
            var question = $"{_session} {asked}";
            gateway.Cluster.Responder.For(question).Send(new string('x', 500_000)).Finish();
            await AskAsync($"q-{asked}", question);
            await EndedAsync($"q-{asked}");
        }

        Assert.Equal(2, metrics.ActiveConnections);
        await Eventually.TrueAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                return metrics.ActiveConnections == 1;
            },
            "only the connection that reads is left");
        Assert.False(reading.IsCompleted);
    }

    [Fact]
    public async Task Streams_CountAsConnections()
    {
        _own = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, options => options.MaxConnections = 1);
        await using (await EventStreamClient.OpenAsync(Http, Events))
        {
            using var refused = await EventStreamClient.GetAsync(Http, Events);
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        }

        await Eventually.TrueAsync(
            async () =>
            {
                using var again = await EventStreamClient.GetAsync(Http, Events);
                return again.StatusCode == HttpStatusCode.OK;
            },
            "the place is given back");
    }

    [Fact]
    public async Task ProcessThatStops_SaysSoBeforeTheEnd()
    {
        _own = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client);
        await using var stream = await EventStreamClient.OpenAsync(Http, Events);
        await stream.NextAsync("hello");
        var stopping = _own.StopAsync();

        var rest = await stream.RestAsync();
        var last = Assert.Single(rest).Frame;
        Assert.Equal(("reconnect", "draining"), (last.Type(), last.Text("reason")));
        await stopping.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private static async Task<string?[]> LinesAsync(StreamReader reader, int count)
    {
        var lines = new string?[count];
        for (var i = 0; i < count; i++)
        {
            lines[i] = await reader.ReadLineAsync();
        }

        return lines;
    }

    private async Task AskAsync(string id, string? question = null)
    {
        using var reply = await Http.PostAsync(
            $"/v1/sessions/{_session}/questions",
            new StringContent($$"""{"id":"{{id}}","question":"{{question ?? _session}}"}""", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
    }

    private async Task<JsonElement> QuestionAsync(string id) =>
        JsonSerializer.Deserialize<JsonElement>(await Http.GetStringAsync($"/v1/sessions/{_session}/questions/{id}"));

    private Task EndedAsync(string id) => Eventually.TrueAsync(async () => (await QuestionAsync(id)).Text("status") is not null, $"{id} has ended");
}
