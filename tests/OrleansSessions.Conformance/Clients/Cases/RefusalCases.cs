using System.Text.Json.Nodes;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Clients.Cases;

/// <summary>Questions, cancels and sockets that the server refuses.</summary>
internal static class RefusalCases
{
    public static IEnumerable<ConformanceCase<ClientScene>> All { get; } =
    [
        new("2.upgrade-401", "an upgrade that is answered with 401 stops the client",
            scene => StopsAtUpgradeAsync(scene, WireErrors.Unauthorized, isSeenByPages: true)),
        new("2.upgrade-403", "an upgrade that is answered with 403 stops the client",
            scene => StopsAtUpgradeAsync(scene, WireErrors.Forbidden, isSeenByPages: true)),
        new("2.upgrade-400", "an upgrade that is answered with 400 stops the client",
            scene => StopsAtUpgradeAsync(scene, WireErrors.BadRequest, isSeenByPages: false)),
        new("2.upgrade-404", "an upgrade that is answered with 404 stops the client",
            scene => StopsAtUpgradeAsync(scene, WireErrors.NotFound, isSeenByPages: true)),
        new("2.upgrade-429", "an upgrade that is answered with 429 is tried again", scene => TriesUpgradeAgainAsync(scene, WireErrors.ConnectionLimit)),
        new("2.upgrade-503", "an upgrade that is answered with 503 is tried again", scene => TriesUpgradeAgainAsync(scene, WireErrors.Draining)),
        new("2.upgrade-broken", "an upgrade whose connection breaks is tried again", TriesBrokenUpgradeAgainAsync),
        new("6.cancel", "a cancel names its question, which ends as cancelled", CancelsAsync),
        new("6.cancel-running", "a cancel without an id is for the running question", CancelsRunningAsync),
        new("6.cancel-disconnected", "a cancel while there is no socket reaches the server", CancelsWhileReconnectingAsync),
        new("6.cancel-running-disconnected",
            "a cancel without an id while there is no socket never hits a question that began later", CancelsOnlyWhatRanAsync),
        new("6.cancel-refused", "a refused cancel is reported, with its code", ReportsRefusedCancelAsync),
        new("8.session-busy", "a busy session is reported with who is running and for how long", ReportsBusyAsync),
        new("8.refusals", "each refusal of a question is reported with its code and param, and the session goes on", ReportsRefusalsAsync),
        new("8.refused-is-forgotten", "a refused question is not asked again", ForgetsRefusedAsync),
        new("8.refused-while-draining", "a question that 'draining' or 'internal' refused is asked again, or reported", KeepsOrReportsAsync),
        new("8.repeat-refused", "if the repeat of an accepted question is refused, the question goes on", GoesOnAfterRefusedRepeatAsync),
        new("8.rate-limited-resume", "a refused 'resume' is sent again, or the client connects again from its position", ResumesAfterRefusalAsync),
        new("12.error-before-hello", "an error before hello that is not retryable stops the client", StopsBeforeHelloAsync),
        new("12.retryable-before-hello", "a retryable error before hello brings the client back after retry_after_ms", ComesBackBeforeHelloAsync),
    ];

    private static async Task StopsAtUpgradeAsync(ClientScene scene, WireError error, bool isSeenByPages)
    {
        await scene.ConnectAsync();
        await scene.RefuseAsync(Refusal.Of(error));
        var stopped = await scene.UnlessPageAsync(scene.Lines.StoppedAsync("refused"), isSeenByPages);
        Check.Equal(error.Code, stopped.Text("code"), "the code of the problem document");
        await scene.ExitAsync();
    }

    private static async Task TriesUpgradeAgainAsync(ClientScene scene, WireError error)
    {
        await scene.ConnectAsync();
        await scene.RefuseAsync(Refusal.Of(error, 1));
        await scene.AcceptAsync(ServerFrames.Hello());
        await scene.Lines.StateAsync("live");
    }

    private static async Task TriesBrokenUpgradeAgainAsync(ClientScene scene)
    {
        await scene.ConnectAsync();
        (await scene.AttemptAsync()).Abort();
        var socket = await scene.AcceptAsync(ServerFrames.Hello(seq: 4));
        await scene.Lines.StateAsync("live");
        socket.Abort();
        (await scene.AttemptAsync()).Abort();
        var attempt = await scene.AttemptAsync();
        Check.Equal("4", attempt.After, "the position after an attempt that failed");
    }

    private static async Task<ScriptedSocket> BeginAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(ServerFrames.Accepted(1), ServerFrames.Delta(2, 0, "Say"));
        await scene.Lines.TextAsync("q-1", "Say");
        return socket;
    }

    private static async Task CancelsAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await scene.DoAsync(new { @do = "cancel", id = "q-1" });
        Check.Equal("q-1", (await socket.ExpectAsync("cancel")).QuestionId, "the question of the cancel");
        await socket.SendAsync("""{"type":"cancelling","question_id":"q-1"}""", ServerFrames.Done(3, 1, "Say", status: "cancelled", reason: "by_client"));
        await scene.Lines.EndedAsync("q-1", "Say", "cancelled");
        await socket.ExpectNothingAsync(3);
    }

    private static async Task CancelsRunningAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await scene.DoAsync(new { @do = "cancel" });
        Check.That((await socket.ExpectAsync("cancel")).QuestionId is null or "q-1", "a cancel of the running question", "another id");
        await socket.SendAsync("""{"type":"cancelling","question_id":"q-1"}""", ServerFrames.Done(3, 1, "Say", status: "cancelled", reason: "by_client"));
        await scene.Lines.EndedAsync("q-1", "Say", "cancelled");
    }

    private static async Task CancelsWhileReconnectingAsync(ClientScene scene)
    {
        (await BeginAsync(scene)).Abort();
        var attempt = await scene.AttemptAsync();
        await scene.DoAsync(new { @do = "cancel", id = "q-1" });
        // The history is read over HTTP, so it shows that the line before it was read, while there is no socket yet.
        await scene.HasReadLinesAsync();
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(ServerFrames.Hello(seq: 2, open: ["q-1"], resuming: true), ServerFrames.Resumed(2, ["q-1"]));
        var sent = await scene.UntilHttpOrFrameAsync("POST questions/q-1/cancel", socket, "cancel");
        if (sent is not null)
        {
            Check.Equal("q-1", sent.QuestionId, "the question of the cancel");
            await socket.SendAsync("""{"type":"cancelling","question_id":"q-1"}""");
        }

        await socket.SendAsync(ServerFrames.Done(3, 1, "Say", status: "cancelled", reason: "by_client"));
        await scene.Lines.EndedAsync("q-1", "Say", "cancelled");
    }

    private static async Task CancelsOnlyWhatRanAsync(ClientScene scene)
    {
        (await BeginAsync(scene)).Abort();
        var attempt = await scene.AttemptAsync();
        await scene.DoAsync(new { @do = "cancel" });
        await scene.HasReadLinesAsync();
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(
            ServerFrames.Hello(seq: 4, open: ["q-2"], resuming: true), ServerFrames.Done(3, 1, "Say", replay: true),
            ServerFrames.Accepted(4, "q-2", "What is a silo?", replay: true), ServerFrames.Resumed(4, ["q-2"]), ServerFrames.Delta(5, 0, "A process.", "q-2"));
        await scene.Lines.EndedAsync("q-1", "Say");
        await scene.Lines.TextAsync("q-2", "A process.");
        while (await socket.UntilPongOrAsync("cancel") is { } cancel)
        {
            Check.Equal("q-1", cancel.QuestionId, "the question of the cancel");
            await socket.SendAsync(ServerFrames.Done(3, 1, "Say", replay: true));
        }

        await socket.SendAsync(ServerFrames.Done(6, 1, "A process.", "q-2"));
        await scene.Lines.EndedAsync("q-2", "A process.");
        Check.That(!scene.Http.Requests.Contains("POST questions/q-2/cancel"), "no cancel of q-2", "POST questions/q-2/cancel");
    }

    private static async Task ReportsRefusedCancelAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync();
        await scene.DoAsync(new { @do = "cancel", id = "unknown" });
        await socket.ExpectAsync("cancel");
        await socket.SendAsync(ServerFrames.Error("question_not_found", false, "unknown"));
        Check.Equal("question_not_found", (await scene.Lines.UntilAsync("refused", "unknown")).Text("code"), "the code");
        await scene.DoAsync(new { @do = "cancel" });
        await socket.ExpectAsync("cancel");
        await socket.SendAsync(ServerFrames.Error("no_open_question", false));
        Check.Equal("no_open_question", (await scene.Lines.UntilAsync("refused")).Text("code"), "the code");
        await socket.ExpectNothingAsync();
    }

    private static async Task ReportsBusyAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(ServerFrames.Error(
            "session_busy", true, "q-1", ("retry_after_ms", 1000), ("active_question_id", "other"), ("active_for_ms", 5200)));
        var refused = await scene.Lines.UntilAsync("refused", "q-1");
        Check.Equal("session_busy", refused.Text("code"), "the code");
        Check.Equal(true, refused.Flag("retryable"), "retryable");
        Check.Equal(1000, refused.Number("retry_after_ms"), "retry_after_ms");
        Check.Equal("other", refused.Text("active_question_id"), "active_question_id");
        Check.Equal(5200, refused.Number("active_for_ms"), "active_for_ms");
        await socket.ExpectNothingAsync();
    }

    private static async Task ReportsRefusalsAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync();
        (string Code, string? Param)[] refusals =
        [
            ("bad_request", "options.model"), ("question_conflict", null), ("question_too_large", "question"), ("queue_full", null), ("rate_limited", null),
            ("quota_exceeded", null), ("store_unavailable", null), ("permission_denied", null),
        ];
        foreach (var (code, param) in refusals)
        {
            var id = $"q-{code}";
            await scene.AskAsync(id);
            await socket.ExpectAsync("question");
            (string, JsonNode)[] more = param is null ? [] : [("param", param)];
            await socket.SendAsync(ServerFrames.Error(code, WireErrors.Find(code)!.IsRetryable, id, more));
            var refused = await scene.Lines.UntilAsync("refused", id);
            Check.Equal(code, refused.Text("code"), "the code");
            Check.Equal(param, refused.Text("param"), "the param");
            Check.Equal("Refused by the case.", refused.Text("message"), "the message");
        }

        await socket.ExpectNothingAsync();
        await scene.AskAsync("q-1");
        await socket.ExpectAsync("question");
        await socket.SendAsync(ServerFrames.Accepted(1), ServerFrames.Done(2, 0, ""));
        await scene.Lines.EndedAsync("q-1", "");
    }

    private static async Task ForgetsRefusedAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(ServerFrames.Error("session_busy", true, "q-1"));
        await scene.Lines.UntilAsync("refused", "q-1");
        socket.Abort();
        socket = await scene.AcceptAsync(ServerFrames.Hello(resuming: true));
        await socket.SendAsync(ServerFrames.Resumed(0));
        await socket.ExpectNothingAsync();
    }

    private static async Task KeepsOrReportsAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync();
        foreach (var (code, close) in new[] { ("draining", CloseCodes.Draining), ("internal", CloseCodes.InternalError) })
        {
            var id = $"q-{code}";
            await scene.AskAsync(id);
            await socket.ExpectAsync("question");
            await socket.SendAsync(ServerFrames.Error(code, true, id));
            await socket.CloseAsync(close);
            socket = await scene.AcceptAsync(ServerFrames.Hello(resuming: true));
            await socket.SendAsync(ServerFrames.Resumed(0));
            if (await socket.UntilPongOrAsync("question") is not { } again)
            {
                Check.Equal(code, (await scene.Lines.UntilAsync("refused", id)).Text("code"), "the code");
                continue;
            }

            Check.Equal(id, again.Text("id"), "the id of the question that is asked again");
            await socket.SendAsync(ServerFrames.Error("session_busy", true, id));
            await scene.Lines.UntilAsync("refused", id);
        }
    }

    private static async Task GoesOnAfterRefusedRepeatAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await scene.AskAsync("q-1");
        await scene.HasReadLinesAsync();
        if (await socket.UntilPongOrAsync("question") is not null)
        {
            await socket.SendAsync(ServerFrames.Error("rate_limited", true, "q-1", ("retry_after_ms", 50)));
        }

        await socket.SendAsync(ServerFrames.Delta(3, 1, " hello"), ServerFrames.Done(4, 2, "Say hello"));
        await scene.Lines.EndedAsync("q-1", "Say hello");
    }

    private static async Task ResumesAfterRefusalAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await socket.SendAsync(ServerFrames.Delta(4, 2, " to"));
        await socket.ExpectAsync("resume");
        await socket.SendAsync(ServerFrames.Error("rate_limited", true, null, ("retry_after_ms", 50)));
        var (resume, attempt) = (socket.ExpectAsync("resume"), scene.AttemptAsync());
        if (await Task.WhenAny(resume, attempt) == resume && resume.IsCompletedSuccessfully)
        {
            Check.Equal(2, (await resume).Number("after_seq"), "after_seq of the 'resume' that is sent again");
        }
        else
        {
            // The client has left the socket, so no 'resume' comes.
            await ((Task)resume).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Check.Equal("e1 2", $"{(await attempt).Epoch} {(await attempt).After}", "the position of the client that comes back");
            socket = await (await attempt).OpenAsync();
            await socket.SendAsync(ServerFrames.Hello(seq: 4, open: ["q-1"], resuming: true));
        }

        await socket.SendAsync(
            ServerFrames.Delta(3, 1, " hello", replay: true), ServerFrames.Delta(4, 2, " to", replay: true), ServerFrames.Resumed(4, ["q-1"]),
            ServerFrames.Done(5, 3, "Say hello to"));
        await scene.Lines.EndedAsync("q-1", "Say hello to");
        await socket.ExpectNothingAsync(5);
    }

    private static async Task StopsBeforeHelloAsync(ClientScene scene)
    {
        await scene.ConnectAsync();
        var socket = await (await scene.AttemptAsync()).OpenAsync();
        await socket.SendAsync(ServerFrames.Error("permission_denied", false));
        await socket.CloseAsync(CloseCodes.Forbidden);
        var stopped = await scene.Lines.StoppedAsync("refused");
        Check.Equal("permission_denied", stopped.Text("code"), "the code");
        Check.That(stopped.Text("message")?.Length > 0, "a message for people", stopped);
        await scene.ExitAsync();
    }

    private static async Task ComesBackBeforeHelloAsync(ClientScene scene)
    {
        await scene.ConnectAsync();
        var socket = await (await scene.AttemptAsync()).OpenAsync();
        await socket.SendAsync(ServerFrames.Error("connection_limit", true, null, ("retry_after_ms", 400)));
        await scene.CloseAndExpectWaitAsync(socket, CloseCodes.ConnectionLimit, 400);
    }
}
