using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Clients.Cases;

/// <summary>Connecting, asking, and what is shown of an answer.</summary>
internal static class AskingCases
{
    public static IEnumerable<ConformanceCase<ClientScene>> All { get; } =
    [
        new("1.utf8", "4-byte characters arrive whole, and bytes are counted in UTF-8", CountsUtf8Async),
        new("2.token", "the token is sent with the upgrade, as a header or as a subprotocol", SendsTokenAsync),
        new("4.followed", "questions of others are followed, with their text", FollowsOthersAsync),
        new("6.duplicate", "the answer to a repeated ask ends the question once", EndsRepeatedAskOnceAsync),
        new("11.history", "the history is read over HTTP", ReadsHistoryAsync),
        new("12.first-attach", "the first socket is of v1 and states no position", FirstAttachAsync),
        new("12.ask-before-live", "an ask before the first hello is sent once, when the session is live, with the client's id", AskBeforeLiveAsync),
        new("12.answer", "accepted, deltas and done become the whole answer", AnswerAsync),
        new("12.asked-again", "a question that was never accepted is sent again, unchanged, with the same id", AsksAgainAsync),
        new("12.ended-meanwhile", "an accepted question that is missing in 'open' is looked up, and ends as the server tells", LooksUpAsync),
        new("12.look-up-outdated", "a look that began before a drop, and says that the question is open, does not keep it open", LooksUpAgainAsync),
        new("12.lost", "an accepted question that the server does not know any more is lost, or asked again and answered", LosesAsync),
        new("12.close", "closing ends the socket with 1000 and the program with 0", ClosesAsync),
        new("12.close-reconnecting", "closing works while there is no socket", ClosesWhileReconnectingAsync),
        new("12.end-of-input", "the end of the program's input closes the session", EndsWithInputAsync),
    ];

    private static async Task CountsUtf8Async(ClientScene scene)
    {
        const string Question = "Żółć \U0001F600 \u2028 𐍈";
        var socket = await scene.AskLiveAsync(question: Question);
        await socket.SendAsync(
            ServerFrames.Accepted(1), ServerFrames.Delta(2, 0, "é\U0001F600"), ServerFrames.Delta(3, 1, "𐍈\u2028\0"),
            ServerFrames.Done(4, 2, "é\U0001F600𐍈\u2028\0"));
        await scene.Lines.EndedAsync("q-1", "é\U0001F600𐍈\u2028\0");
        Check.That(scene.Http.Requests.IsEmpty, "no look-up, because the counts match", string.Join(", ", scene.Http.Requests));
    }

    private static async Task SendsTokenAsync(ClientScene scene)
    {
        await scene.ConnectAsync("token-1.a_b-c");
        var attempt = await scene.AttemptAsync();
        Check.Equal("token-1.a_b-c", attempt.Token, "the token of the upgrade");
        await (await attempt.OpenAsync()).SendAsync(ServerFrames.Hello());
        await scene.Lines.StateAsync("live");
    }

    private static async Task FollowsOthersAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync();
        await socket.SendAsync(
            ServerFrames.Accepted(1, "other", "What is a silo?"), ServerFrames.Delta(2, 0, "A process", "other"),
            ServerFrames.Delta(3, 1, " that hosts grains.", "other"), ServerFrames.Done(4, 2, "A process that hosts grains.", "other"));
        await scene.Lines.EndedAsync("other", "A process that hosts grains.");
    }

    private static async Task EndsRepeatedAskOnceAsync(ClientScene scene)
    {
        var lost = await scene.AskLiveAsync();
        lost.Abort();
        var socket = await scene.AcceptAsync(ServerFrames.Hello(resuming: true, seq: 3));
        await socket.SendAsync(ServerFrames.Resumed(3, reason: "trimmed"));
        await socket.ExpectAsync("question");
        await socket.SendAsync(
            ServerFrames.Accepted(1, duplicate: true), ServerFrames.Snapshot(1, "Hello.", status: "completed"),
            ServerFrames.Done(3, 1, "Hello.", replay: true));
        await scene.Lines.EndedAsync("q-1", "Hello.");
        await socket.ExpectNothingAsync(3);
        await scene.AskAsync("q-2");
        await socket.ExpectAsync("question");
        await socket.SendAsync(ServerFrames.Accepted(4, "q-2"), ServerFrames.Done(5, 0, "", "q-2"));
        await scene.Lines.EndedAsync("q-2", "");
        await socket.ExpectNothingAsync(5);
    }

    private static async Task ReadsHistoryAsync(ClientScene scene)
    {
        await scene.GoLiveAsync();
        var (first, second) = (ServerFrames.Stored("completed", 1, "One.", "q-1"), ServerFrames.Stored("cancelled", 1, "Tw", "q-2", "by_client"));
        scene.Http.History = $$"""{"questions":[{{first}},{{second}}]}""";
        await scene.DoAsync(new { @do = "history" });
        var questions = (await scene.Lines.UntilAsync("history")).List("questions");
        Check.Equal("q-1 completed One. | q-2 cancelled Tw", string.Join(" | ", questions.Select(Show)), "the history, oldest first");
        Check.Equal("Say hello to all", questions[0].Text("question"), "the text of the question");

        static string Show(Frame each) => $"{each.Text("id")} {each.Text("status")} {each.Text("text")}";
    }

    private static async Task FirstAttachAsync(ClientScene scene)
    {
        await scene.ConnectAsync();
        var attempt = await scene.AttemptAsync();
        Check.Equal(null, attempt.Epoch ?? attempt.After, "the position of a client that has none");
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(ServerFrames.Hello());
        await scene.Lines.StateAsync("live");
        await socket.ExpectNothingAsync();
    }

    private static async Task AskBeforeLiveAsync(ClientScene scene)
    {
        await scene.ConnectAsync();
        await scene.AskAsync("q-1");
        var socket = await scene.AcceptAsync(ServerFrames.Hello());
        var question = await socket.ExpectAsync("question");
        Check.Equal("q-1", question.Text("id"), "the id of the question");
        await socket.ExpectNothingAsync();
    }

    private static async Task AnswerAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(ServerFrames.Accepted(1));
        Check.Equal(0, (await scene.Lines.UntilAsync("accepted", "q-1")).Number("position"), "the position of a question that starts now");
        await socket.SendAsync(ServerFrames.Delta(2, 0, "Say"));
        await scene.Lines.TextAsync("q-1", "Say");
        await socket.SendAsync(ServerFrames.Delta(3, 1, " hello"),
            ServerFrames.Done(4, 2, "Say hello", status: "failed", reason: "responder_unavailable", retryAfterMs: 2000));
        var ended = await scene.Lines.EndedAsync("q-1", "Say hello", "failed");
        Check.Equal("responder_unavailable", ended.Text("reason"), "the reason");
        Check.Equal("Said by the case.", ended.Text("message"), "the message");
        Check.Equal(true, ended.Flag("retryable"), "whether asking again can succeed");
        Check.Equal(2000, ended.Number("retry_after_ms"), "how long to wait before that");
        await socket.ExpectNothingAsync(4);
    }

    private static async Task AsksAgainAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync();
        await scene.DoAsync(new { @do = "ask", id = "q-1", question = "Say \"hello\"", if_busy = "queue", options = new { model = "small", depth = 2 } });
        var first = await socket.ExpectAsync("question");
        Check.Equal("queue", first.Text("if_busy"), "if_busy");
        Check.Equal("small", first.Inner("options")?.Text("model"), "options.model");
        for (var i = 0; i < 2; i++)
        {
            socket.Abort();
            socket = await scene.AcceptAsync(ServerFrames.Hello(resuming: true));
            await socket.SendAsync(ServerFrames.Resumed(0));
            var again = await socket.ExpectAsync("question");
            Check.That(System.Text.Json.JsonElement.DeepEquals(first.Element, again.Element), $"the same frame again: {first}", again);
        }

        await socket.SendAsync(ServerFrames.Accepted(1), ServerFrames.Delta(2, 0, "Hello."), ServerFrames.Done(3, 1, "Hello."));
        await scene.Lines.EndedAsync("q-1", "Hello.");
        await socket.ExpectNothingAsync(3);
    }

    private static async Task LooksUpAsync(ClientScene scene)
    {
        var socket = await AnswerBeginsAsync(scene);
        scene.Http.Store("q-1", ServerFrames.Stored("completed", 3, "Say hello to all"));
        socket.Abort();
        socket = await scene.AcceptAsync(ServerFrames.Hello(seq: 4, resuming: true, epoch: "e2"));
        await socket.SendAsync(ServerFrames.Resumed(4, reason: "epoch_changed", epoch: "e2"));
        await EndsAsync(scene, socket, "e2");
        await socket.ExpectNothingAsync(4);
    }

    private static async Task LooksUpAgainAsync(ClientScene scene)
    {
        var socket = await AnswerBeginsAsync(scene);
        scene.Http.Store("q-1", ServerFrames.Stored("answering", 3, "Say hello to"));
        scene.Http.HoldNextLook();
        // The numbers are in order, but a piece is missing, so the client looks.
        await socket.SendAsync(ServerFrames.Delta(3, 2, " to"));
        await scene.Http.UntilRequestAsync("GET questions/q-1");
        socket.Abort();
        scene.Http.Store("q-1", ServerFrames.Stored("completed", 4, "Say hello to all"));
        socket = await scene.AcceptAsync(ServerFrames.Hello(seq: 50, resuming: true));
        await socket.SendAsync(
            ServerFrames.Resumed(50, reason: "trimmed"), ServerFrames.Snapshot(1, "A process.", "other", "completed"));
        await scene.Lines.StateAsync("live");
        scene.Http.Release();
        await EndsAsync(scene, socket, ServerFrames.Epoch);
    }

    private static async Task EndsAsync(ClientScene scene, ScriptedSocket socket, string epoch)
    {
        var end = await scene.UntilOverAsync("q-1", socket,
            ServerFrames.Accepted(1, duplicate: true), ServerFrames.Snapshot(4, "Say hello to all", status: "completed", epoch: epoch),
            ServerFrames.Done(4, 4, "Say hello to all", replay: true));
        Check.Equal("completed Say hello to all", $"{end.Text("status")} {end.Text("text")}", "how q-1 ended, and its text");
    }

    private static async Task LosesAsync(ClientScene scene)
    {
        var socket = await AnswerBeginsAsync(scene);
        scene.Http.Store("q-1", Refusal.Of(WireErrors.QuestionNotFound));
        socket.Abort();
        socket = await scene.AcceptAsync(ServerFrames.Hello(resuming: true, epoch: "e2"));
        await socket.SendAsync(ServerFrames.Resumed(0, reason: "expired", epoch: "e2"));
        var end = await scene.UntilOverAsync("q-1", socket,
            ServerFrames.Accepted(1), ServerFrames.Delta(2, 0, "Say"), ServerFrames.Delta(3, 1, " it."), ServerFrames.Done(4, 2, "Say it."));
        if (scene.Choice is not null)
        {
            Check.Equal("completed Say it.", $"{end.Text("status")} {end.Text("text")}", "how q-1 ended, and its text");
            await socket.ExpectNothingAsync(4);
            return;
        }

        Check.Equal("lost", end.Text("event"), "what is told of a question that the server does not know");
        await socket.ExpectNothingAsync();
        socket.Abort();
        socket = await scene.AcceptAsync(ServerFrames.Hello(resuming: true, epoch: "e2"));
        await socket.SendAsync(ServerFrames.Resumed(0, epoch: "e2"));
        await socket.ExpectNothingAsync();
    }

    private static async Task ClosesAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync();
        await scene.DoAsync(new { @do = "close" });
        Check.Equal(1000, await socket.EndAsync(), "the close code");
        await scene.Lines.StoppedAsync("closed");
        await scene.ExitAsync();
    }

    private static async Task ClosesWhileReconnectingAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync();
        await socket.SendAsync(ServerFrames.Error("draining", true, null, ("retry_after_ms", 60_000)));
        await socket.CloseAsync(CloseCodes.Draining);
        await scene.Lines.StateAsync("reconnecting");
        await scene.DoAsync(new { @do = "close" });
        await scene.Lines.StoppedAsync("closed");
        await scene.ExitAsync();
    }

    private static async Task EndsWithInputAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync();
        scene.EndInput();
        Check.Equal(1000, await socket.EndAsync(), "the close code");
        await scene.Lines.StoppedAsync("closed");
        await scene.ExitAsync();
    }

    private static async Task<ScriptedSocket> AnswerBeginsAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(ServerFrames.Accepted(1), ServerFrames.Delta(2, 0, "Say"));
        await scene.Lines.TextAsync("q-1", "Say");
        return socket;
    }
}
