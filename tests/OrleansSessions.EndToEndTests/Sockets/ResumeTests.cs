using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Sockets;

/// <summary>Reconnecting in the middle of an answer, after its end, and from a position that no longer exists.</summary>
public sealed class ResumeTests(ExternalServerFixture server) : IClassFixture<ExternalServerFixture>
{
    [Fact]
    public async Task Resume_InMidAnswer_ReplaysOnlyWhatWasMissedAndGoesOnLive()
    {
        var session = Names.Session();
        await using var client = server.Client(session);
        await client.ConnectAsync();
        var question = await client.AskAsync("tell me");
        await client.PumpUntilAsync(() => question.IsAccepted, "accepted");
        await server.Http.AnswerAsync(session, question.Id, 0, "one ");
        await client.PumpUntilAsync(() => question.NextDelta == 1, "the first delta");

        await client.DropAsync();
        await server.Http.AnswerAsync(session, question.Id, 4, "two ");
        await client.ConnectAsync();
        Assert.Equal("one two ", question.Answer.ToString());
        Assert.Equal(["hello", "delta", "resumed"], Types(client.Socket));

        await server.Http.AnswerAsync(session, question.Id, 8, "three", isFinal: true);
        await client.PumpUntilDoneAsync(question);
        Assert.Equal("one two three", question.Answer.ToString());
    }

    [Fact]
    public async Task Resume_AfterTheEnd_ReplaysDeltasAndDone()
    {
        var session = Names.Session();
        await using var client = server.Client(session);
        await client.ConnectAsync();
        var question = await client.AskAsync("tell me");
        await client.PumpUntilAsync(() => question.IsAccepted, "accepted");
        await client.DropAsync();

        await server.Http.RespondAsync(session, "while you were away");
        await client.ConnectAsync();

        Assert.Equal(("while you were away", "completed"), (question.Answer.ToString(), question.Status));
    }

    [Fact]
    public async Task Disconnect_NeverCancels()
    {
        var session = Names.Session();
        var socket = await server.OpenAsync(session);
        await socket.AskAsync("tell me", "q-1");
        await socket.ExpectAsync("accepted");
        await socket.DisposeAsync();

        Assert.True((await server.Http.RespondAsync(session, "still there", "q-1")).Body.TryGetProperty("delivered", out _));
        var stored = await server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions/q-1");
        Assert.Equal(("completed", "still there"), (stored.Body.Text("status"), stored.Body.Text("text")));
    }

    [Fact]
    public async Task Attach_InMidAnswer_GetsASnapshotThatTheNextDeltaContinues()
    {
        var session = Names.Session();
        await using var asking = await server.OpenAsync(session);
        await asking.AskAsync("tell me", "q-1");
        await asking.ExpectAsync("accepted");
        await server.Http.AnswerAsync(session, "q-1", 0, "half ");
        await asking.ExpectAsync("delta");

        await using var late = server.Client(session);
        await late.ConnectAsync();
        await server.Http.AnswerAsync(session, "q-1", 5, "and half", isFinal: true);
        await late.PumpUntilAsync(() => late.Questions.GetValueOrDefault("q-1")?.End is not null, "the end of q-1");

        Assert.Equal("half and half", late.Questions["q-1"].Answer.ToString());
        Assert.Equal("tell me", late.Questions["q-1"].Text);
        Assert.Equal(["hello", "snapshot", "delta", "done"], Types(late.Socket));
    }

    [Fact]
    public async Task Resume_InAnEpochThatIsGone_IsNotRecovered_AndGetsASnapshot()
    {
        var session = Names.Session();
        await using var asking = await server.OpenAsync(session);
        await asking.AskAsync("tell me", "q-1");
        await asking.ExpectAsync("accepted");

        await using var stranger = await server.ConnectAsync(session, "epoch=e0ff&after=7");

        Assert.True((await stranger.ExpectAsync("hello")).Flag("resuming"));
        var resumed = await stranger.ExpectAsync("resumed");
        Assert.Equal((false, "epoch_changed", 1L), (resumed.Flag("recovered"), resumed.Text("reason"), resumed.Number("to_seq")));
        Assert.Equal("q-1", (await stranger.ExpectAsync("snapshot")).Text("question_id"));
    }

    private static string?[] Types(CheckedSocket socket) =>
        [.. socket.Frames.Select(frame => System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(frame).Type())];
}
