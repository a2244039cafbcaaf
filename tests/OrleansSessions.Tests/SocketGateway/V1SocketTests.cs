using System.Text;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class V1SocketTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _session = GatewayFixture.NewSession();

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task Hello_OfANewSession_ShowsAnEmptyLog()
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        var hello = await socket.NextAsync("hello");

        Assert.Equal((_session, 0, false), (hello.GetProperty("session").GetString(), hello.GetProperty("seq").GetInt32(), hello.GetProperty("resuming").GetBoolean()));
        Assert.Equal(0, hello.GetProperty("open").GetArrayLength());
    }

    [Fact]
    public async Task I3_AnAnswer_ArrivesWithoutHoleOrRepeat_AndI7_EqualsWhatDoneSays()
    {
        var question = Script("one ", "two ", "three");
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await AskAsync(socket, question, "q-1");
        var frames = await socket.UntilAsync("done");

        var last = 0L;
        var text = new StringBuilder();
        foreach (var frame in frames)
        {
            var seq = frame.GetProperty("seq").GetInt64();
            var from = frame.TryGetProperty("from_seq", out var first) ? first.GetInt64() : seq;
            Assert.Equal(last + 1, from);
            last = seq;
            text.Append(frame.TryGetProperty("text", out var piece) ? piece.GetString() : "");
        }

        Assert.Equal("one two three", text.ToString());
        Assert.Equal(Encoding.UTF8.GetByteCount(text.ToString()), frames[^1].GetProperty("bytes").GetInt32());
        Assert.Equal("completed", frames[^1].GetProperty("status").GetString());
        Assert.False(frames[0].TryGetProperty("question", out _));
    }

    [Fact]
    public async Task Follower_ThatDidNotAsk_GetsTheQuestion()
    {
        var question = Script("x");
        await using var asker = await gateway.Host.ConnectV1Async(_session);
        await using var follower = await gateway.Host.ConnectV1Async(_session);
        await asker.NextAsync("hello");
        await follower.NextAsync("hello");
        await AskAsync(asker, question, "q-1");

        Assert.Equal(question, (await follower.NextAsync("accepted")).GetProperty("question").GetString());
        await follower.UntilAsync("done");
    }

    [Fact]
    public async Task Ask_WhileAnotherIsInFlight_IsBusy()
    {
        var script = gateway.Cluster.Responder.For(_session);
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await AskAsync(socket, _session, "q-1");
        await socket.NextAsync("accepted");
        await AskAsync(socket, "other", "q-2");

        var error = await socket.NextAsync("error");
        Assert.Equal("session_busy", error.GetProperty("code").GetString());
        Assert.Equal("Please wait for the previous response", error.GetProperty("message").GetString());
        Assert.Equal(("q-2", "q-1"), (error.GetProperty("question_id").GetString(), error.GetProperty("active_question_id").GetString()));
        Assert.True(error.GetProperty("retry_after_ms").GetInt64() > 0);
        script.Send("x").Finish();
        await socket.UntilAsync("done");
    }

    [Fact]
    public async Task Resume_FromSequence_ReplaysOnlyLaterEvents()
    {
        var question = Script("ab", "cd");
        await using var first = await gateway.Host.ConnectV1Async(_session);
        var epoch = (await first.NextAsync("hello")).GetProperty("epoch").GetString();
        await AskAsync(first, question, "q-1");
        var head = (await first.UntilAsync("done"))[^1].GetProperty("seq").GetInt64();

        await using var second = await gateway.Host.ConnectV1Async(_session, $"&epoch={epoch}&after=1");
        Assert.True((await second.NextAsync("hello")).GetProperty("resuming").GetBoolean());
        var frames = await second.UntilAsync("resumed");

        Assert.All(frames[..^1], frame => Assert.True(frame.GetProperty("replay").GetBoolean()));
        Assert.Equal("abcd", string.Concat(frames.Where(frame => frame.TryGetProperty("text", out _)).Select(frame => frame.GetProperty("text").GetString())));
        Assert.True(frames[^1].GetProperty("recovered").GetBoolean());
        Assert.Equal(head, frames[^1].GetProperty("to_seq").GetInt64());
    }

    [Fact]
    public async Task Resume_WithAnUnknownEpoch_IsNotRecovered_AndSnapshotsTheLastAnswer()
    {
        await using var first = await gateway.Host.ConnectV1Async(_session);
        await first.NextAsync("hello");
        await AskAsync(first, Script("abc"), "q-1");
        await first.UntilAsync("done");
        await first.SendAsync("""{"type":"resume","epoch":"nonsense","after_seq":3}""");

        var resumed = await first.NextAsync("resumed");
        Assert.Equal((false, "epoch_changed"), (resumed.GetProperty("recovered").GetBoolean(), resumed.GetProperty("reason").GetString()));
        var snapshot = await first.NextAsync("snapshot");
        Assert.Equal(("abc", "completed"), (snapshot.GetProperty("text").GetString(), snapshot.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task SameIdSameText_IsAnsweredToThatSocketAlone()
    {
        var question = Script("abc");
        await using var asker = await gateway.Host.ConnectV1Async(_session);
        await using var other = await gateway.Host.ConnectV1Async(_session);
        await asker.NextAsync("hello");
        await other.NextAsync("hello");
        await AskAsync(asker, question, "q-1");
        var done = (await asker.UntilAsync("done"))[^1];
        await other.UntilAsync("done");
        await AskAsync(asker, question, "q-1");

        Assert.True((await asker.NextAsync("accepted")).GetProperty("duplicate").GetBoolean());
        Assert.Equal("abc", (await asker.NextAsync("snapshot")).GetProperty("text").GetString());
        var again = await asker.NextAsync("done");
        Assert.Equal((done.GetProperty("seq").GetInt64(), true), (again.GetProperty("seq").GetInt64(), again.GetProperty("replay").GetBoolean()));
        await other.SendAsync("""{"type":"ping"}""");
        await other.NextAsync("ping");
        await AskAsync(asker, "another text", "q-1");
        Assert.Equal("question_conflict", (await asker.NextAsync("error")).GetProperty("code").GetString());
    }

    [Fact]
    public async Task I6_AfterCancelling_OnlyTheDoneOfThatQuestionFollows()
    {
        var script = gateway.Cluster.Responder.For(_session).Send("abc");
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await AskAsync(socket, _session, "q-1");
        await socket.UntilAsync("delta");
        await socket.SendAsync("""{"type":"cancel","question_id":"q-1"}""");

        await socket.UntilAsync("cancelling");
        var done = await socket.NextAsync("done");
        Assert.Equal(("cancelled", "by_client"), (done.GetProperty("status").GetString(), done.GetProperty("reason").GetString()));
        await script.Cancelled.WaitAsync(TimeSpan.FromSeconds(10));
        await socket.SendAsync("""{"type":"cancel","question_id":"q-1"}""");
        Assert.True((await socket.NextAsync("done")).GetProperty("replay").GetBoolean());
    }

    [Theory]
    [InlineData("""{"type":"cancel"}""", "no_open_question")]
    [InlineData("""{"type":"cancel","question_id":"never"}""", "question_not_found")]
    public async Task Cancel_OfNothing_SaysWhat(string frame, string code)
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await socket.SendAsync(frame);
        Assert.Equal(code, (await socket.NextAsync("error")).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Attach_WhileAnAnswerIsOpen_SnapshotsItInParts()
    {
        var text = string.Concat(Enumerable.Repeat("äöü€😀 ", 12_000));
        var script = gateway.Cluster.Responder.For(_session).Send(text);
        await using var asker = await gateway.Host.ConnectV1Async(_session);
        await asker.NextAsync("hello");
        await AskAsync(asker, _session, "q-1");
        await asker.UntilAsync("delta");
        await using var late = await gateway.Host.ConnectV1Async(_session);
        Assert.Equal(1, (await late.NextAsync("hello")).GetProperty("open").GetArrayLength());

        var seen = new StringBuilder();
        int part, parts;
        do
        {
            var snapshot = await late.NextAsync("snapshot");
            (part, parts) = (snapshot.GetProperty("part").GetInt32(), snapshot.GetProperty("parts").GetInt32());
            seen.Append(snapshot.GetProperty("text").GetString());
            Assert.True(Encoding.UTF8.GetByteCount(snapshot.GetProperty("text").GetString()!) <= 65536);
        }
        while (part < parts);
        Assert.True(parts > 1);
        Assert.StartsWith(seen.ToString(), text, StringComparison.Ordinal);
        script.Finish();
        Assert.Equal("done", (await late.UntilAsync("done"))[^1].GetProperty("type").GetString());
    }

    [Fact]
    public async Task NoFrameExceeds1MiB_LiveOrReplayedOrAsASnapshot_HoweverLongOnePieceIs()
    {
        const int Length = 950_000;
        const int MaxFrame = 1024 * 1024;

        // A control character takes one byte in UTF-8 and six in JSON.
        var script = gateway.Cluster.Responder.For(_session).Send(new string('\u0001', Length));
        await using var asker = await gateway.Host.ConnectV1Async(_session);
        var epoch = (await asker.NextAsync("hello")).GetProperty("epoch").GetString();
        await AskAsync(asker, _session, "q-1");
        await asker.UntilAsync("delta");
        await using var late = await gateway.Host.ConnectV1Async(_session);
        await late.NextAsync("hello");
        script.Finish();
        await using var returning = await gateway.Host.ConnectV1Async(_session, $"&epoch={epoch}&after=0");

        foreach (var (socket, last) in new[] { (asker, "done"), (late, "done"), (returning, "resumed") })
        {
            var frames = await socket.UntilAsync(last);
            Assert.All(frames, frame => Assert.InRange(frame.GetRawText().Length, 1, MaxFrame));
            Assert.Contains(frames, frame => frame.GetRawText().Length > 50_000);
        }
    }

    [Fact]
    public async Task ASessionThatWasOpenedDroppedAndReopened_BeforeItsFirstQuestion_KeepsItsEpoch()
    {
        string? epoch;
        await using (var first = await gateway.Host.ConnectV1Async(_session))
        {
            epoch = (await first.NextAsync("hello")).GetProperty("epoch").GetString();
        }

        await using var second = await gateway.Host.ConnectV1Async(_session, $"&epoch={epoch}&after=0");
        await second.NextAsync("hello");

        Assert.True((await second.NextAsync("resumed")).GetProperty("recovered").GetBoolean());
    }

    [Fact]
    public async Task Removal_EndsTheQuestion_ThenClosesWith4104()
    {
        gateway.Cluster.Responder.For(_session).Send("abc");
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await AskAsync(socket, _session, "q-1");
        await socket.UntilAsync("delta");
        await gateway.Host.Http.DeleteAsync(new Uri($"/v1/sessions/{_session}", UriKind.Relative));

        var done = (await socket.UntilAsync("done"))[^1];
        Assert.Equal("session_removed", done.GetProperty("reason").GetString());
        Assert.Equal(4104, await socket.ClosedAsync());
    }

    private static Task AskAsync(TestSocket socket, string question, string id) =>
        socket.SendAsync($$"""{"type":"question","id":"{{id}}","question":"{{question}}"}""");

    private string Script(params string[] pieces)
    {
        var question = "ask " + Guid.NewGuid().ToString("N");
        var script = gateway.Cluster.Responder.For(question);
        foreach (var piece in pieces)
        {
            script.Send(piece);
        }

        script.Finish();
        return question;
    }
}
