using System.Globalization;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Clients.Cases;

/// <summary>Closing, coming back, tokens, heartbeats and moving.</summary>
internal static class SocketLifeCases
{
    private static readonly int[] ComeBackCodes =
    [
        CloseCodes.GoingAway, CloseCodes.ProtocolError, CloseCodes.InternalError, CloseCodes.ServiceRestart, 3000, CloseCodes.Draining, CloseCodes.SlowConsumer,
        CloseCodes.MissedHeartbeat, CloseCodes.MaxAge, CloseCodes.RateLimited, CloseCodes.ConnectionLimit, 4050,
    ];

    private static readonly (int Code, string Reason)[] StopCodes =
    [
        (CloseCodes.Normal, "ended"), (CloseCodes.UnsupportedData, "protocol"), (CloseCodes.InvalidPayload, "protocol"),
        (CloseCodes.PolicyViolation, "protocol"),
        (CloseCodes.MessageTooBig, "protocol"), (CloseCodes.BadProtocol, "protocol"), (CloseCodes.Unauthorized, "refused"), (CloseCodes.Forbidden, "refused"),
        (CloseCodes.SessionRemoved, "session_removed"), (CloseCodes.UnsupportedProtocol, "refused"), (4150, "ended"),
    ];

    public static IEnumerable<ConformanceCase<ClientScene>> All { get; } =
    [
        .. StopCodes.Select(each => new ConformanceCase<ClientScene>(
            string.Create(CultureInfo.InvariantCulture, $"7.close-{each.Code}"), $"the close code {each.Code} stops the client, which says '{each.Reason}'",
            scene => StopsAsync(scene, each.Code, each.Reason))),
        new("7.come-back", "each other close code, and a broken connection, brings the client back, with its questions", ComesBackAsync),
        new("7.retry-after", "the retry_after_ms of an error that was the last frame is waited for", WaitsAsAdvisedAsync),
        new("7.expiring", "'expiring' is answered with 'auth' and a fresh token", RenewsTokenAsync),
        new("7.auth-refused", "after a refused 'auth' the socket goes on", GoesOnAfterRefusedAuthAsync),
        new("7.auth-unchecked",
            "a token that could not be checked is still a fresh one: after 4005 the client comes back with it", ComesBackWithUncheckedTokenAsync),
        new("7.token-expired", "after 'token_expired' and 4005 the client comes back with a fresh token", ComesBackWithFreshTokenAsync),
        new("7.token-expired-same", "after 'token_expired' without another token the client stops", StopsWithoutFreshTokenAsync),
        new("7.moving", "'reconnect' leads to a second socket from the position, and the first is closed with 1000 when that is live", MovesAsync),
        new("7.moving-refused", "a second socket that is refused is tried again, while the first one serves", MovesAfterRefusalAsync),
        new("7.moving-epoch-changed", "a second socket whose epoch is outdated when it opens is replaced by another one", MovesToNewEpochAsync),
        new("7.moving-closed", "if the first socket closes before the second is live, the client connects as after any close", ConnectsAfterCloseAsync),
        new("12.silence", "a server that sent nothing for three times heartbeat_ms is gone", LeavesSilentServerAsync),
    ];

    private static async Task<ScriptedSocket> BeginAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(ServerFrames.Accepted(1), ServerFrames.Delta(2, 0, "Say"));
        await scene.Lines.TextAsync("q-1", "Say");
        return socket;
    }

    private static async Task StopsAsync(ClientScene scene, int code, string reason)
    {
        var socket = await BeginAsync(scene);
        await socket.CloseAsync(code);
        Check.Equal("stopped", (await scene.Lines.UntilAsync("failed", "q-1")).Text("reason"), "why the question failed");
        var stopped = await scene.Lines.StoppedAsync(reason);
        Check.Equal(code, stopped.Number("close"), "the close code");
        await scene.ExitAsync();
        scene.ExpectNoAttempt();
    }

    private static async Task ComesBackAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await scene.AskAsync("q-2");
        await socket.ExpectAsync("question");
        // Far below what the waits grow to in a client that does not know max_ms, and far above what a busy machine adds.
        var mostMs = ServerFrames.MaxMs + scene.Patience.Moment.TotalMilliseconds;
        foreach (var code in ComeBackCodes.Append(0))
        {
            var closedMs = TimeProvider.System.GetElapsedTime(0).TotalMilliseconds;
            if (code == 0)
            {
                socket.Abort();
            }
            else
            {
                await socket.CloseAsync(code);
            }

            var attempt = await scene.AttemptAsync();
            Check.Equal("e1 2", $"{attempt.Epoch} {attempt.After}", $"the position after {(code == 0 ? "a broken connection" : code)}");
            Check.That(attempt.AtMs - closedMs <= mostMs, $"a wait of at most max_ms, which is {ServerFrames.MaxMs}", $"{attempt.AtMs - closedMs:0} ms");
            socket = await attempt.OpenAsync();
            await socket.SendAsync(ServerFrames.Hello(seq: 2, open: ["q-1"], resuming: true), ServerFrames.Resumed(2, ["q-1"]));
            Check.Equal("q-2", (await socket.ExpectAsync("question")).Text("id"), "the question that was never accepted");
        }

        await socket.SendAsync(ServerFrames.Done(3, 1, "Say"), ServerFrames.Accepted(4, "q-2"), ServerFrames.Done(5, 0, "", "q-2"));
        await scene.Lines.EndedAsync("q-1", "Say");
        await scene.Lines.EndedAsync("q-2", "");
    }

    private static async Task WaitsAsAdvisedAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await socket.SendAsync(ServerFrames.Error("draining", true, null, ("retry_after_ms", 400)));
        await scene.CloseAndExpectWaitAsync(socket, CloseCodes.Draining, 400);
    }

    private static async Task RenewsTokenAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync("token-1");
        await scene.DoAsync(new { @do = "token", token = "token-2" });
        await scene.HasReadLinesAsync();
        await socket.SendAsync("""{"type":"expiring","in_ms":60000}""");
        Check.Equal("token-2", (await socket.ExpectAsync("auth")).Text("token"), "the token of 'auth'");
        await socket.SendAsync("""{"type":"authenticated","expires_in_ms":3600000}""");
        await socket.ExpectNothingAsync();
    }

    private static async Task GoesOnAfterRefusedAuthAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync("token-1");
        await scene.DoAsync(new { @do = "token", token = "token-2" });
        await scene.AskAsync("q-1");
        await socket.ExpectAsync("question");
        await socket.SendAsync("""{"type":"expiring","in_ms":60000}""");
        await socket.ExpectAsync("auth");
        await socket.SendAsync(
            ServerFrames.Error("unauthorized", false, null, ("param", "token")), ServerFrames.Accepted(1), ServerFrames.Delta(2, 0, "Say"),
            ServerFrames.Done(3, 1, "Say"));
        await scene.Lines.EndedAsync("q-1", "Say");
    }

    private static async Task ComesBackWithUncheckedTokenAsync(ClientScene scene)
    {
        var refusal = ServerFrames.Error("internal", true, null, ("param", "token"));
        var socket = await scene.GoLiveAsync("token-1");
        await scene.DoAsync(new { @do = "token", token = "token-2" });
        await scene.HasReadLinesAsync();
        await socket.SendAsync("""{"type":"expiring","in_ms":60000}""");
        Check.Equal("token-2", (await socket.ExpectAsync("auth")).Text("token"), "the token of 'auth'");
        await socket.SendAsync(refusal);
        if (await socket.UntilPongOrAsync("auth") is not null)
        {
            await socket.SendAsync(refusal);
        }

        await ExpireAndExpectFreshTokenAsync(scene, socket);
    }

    private static async Task ComesBackWithFreshTokenAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync("token-1");
        await scene.DoAsync(new { @do = "token", token = "token-2" });
        await scene.HasReadLinesAsync();
        await ExpireAndExpectFreshTokenAsync(scene, socket);
    }

    private static async Task ExpireAndExpectFreshTokenAsync(ClientScene scene, ScriptedSocket socket)
    {
        await socket.SendAsync(ServerFrames.Error("token_expired", false));
        await socket.CloseAsync(CloseCodes.TokenExpired);
        var attempt = await scene.AttemptAsync();
        Check.Equal("token-2", attempt.Token, "the token of the client that comes back");
        await (await attempt.OpenAsync()).SendAsync(ServerFrames.Hello(resuming: true), ServerFrames.Resumed(0));
        await scene.Lines.StateAsync("live");
    }

    private static async Task StopsWithoutFreshTokenAsync(ClientScene scene)
    {
        var socket = await scene.GoLiveAsync("token-1");
        await socket.SendAsync(ServerFrames.Error("token_expired", false));
        await socket.CloseAsync(CloseCodes.TokenExpired);
        Check.Equal("token_expired", (await scene.Lines.StoppedAsync("token_expired")).Text("code"), "the code");
        await scene.ExitAsync();
        scene.ExpectNoAttempt();
    }

    private static async Task MovesAsync(ClientScene scene)
    {
        var old = await BeginAsync(scene);
        var sentMs = TimeProvider.System.GetElapsedTime(0).TotalMilliseconds;
        await old.SendAsync("""{"type":"reconnect","reason":"draining","delay_ms":100}""", """{"type":"reconnect","reason":"draining","delay_ms":100}""");
        var attempt = await scene.AttemptAsync();
        Check.That(attempt.AtMs - sentMs >= 90, "a second socket after delay_ms, which is 100", $"after {attempt.AtMs - sentMs:0} ms");
        Check.Equal("e1 2", $"{attempt.Epoch} {attempt.After}", "the position of the second socket");
        // Until the new socket is live, the old one serves.
        await old.SendAsync(ServerFrames.Delta(3, 1, " hello"));
        await scene.Lines.TextAsync("q-1", "Say hello");
        await scene.DoAsync(new { @do = "ask", id = "q-2", question = "And then?", if_busy = "queue" });
        Check.Equal("q-2", (await old.ExpectAsync("question")).Text("id"), "the question that is asked meanwhile");
        await old.SendAsync(ServerFrames.Accepted(4, "q-2", position: 1));
        await scene.Lines.UntilAsync("accepted", "q-2");
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(ServerFrames.Hello(seq: 4, open: ["q-1", "q-2"], resuming: true, connection: "c-2"));
        Check.Equal(1000, await old.EndAsync(), "the close code of the first socket");
        await socket.SendAsync(
            ServerFrames.Delta(3, 1, " hello", replay: true), ServerFrames.Accepted(4, "q-2", position: 1, replay: true),
            ServerFrames.Resumed(4, ["q-1", "q-2"]),
            ServerFrames.Done(5, 2, "Say hello"), ServerFrames.Done(6, 0, "", "q-2"));
        await scene.Lines.EndedAsync("q-1", "Say hello");
        await scene.Lines.EndedAsync("q-2", "");
        await socket.ExpectNothingAsync(6);
        scene.ExpectNoAttempt();
    }

    private static async Task MovesAfterRefusalAsync(ClientScene scene)
    {
        var old = await BeginAsync(scene);
        await old.SendAsync("""{"type":"reconnect","reason":"max_age","delay_ms":0}""");
        await scene.RefuseAsync(Refusal.Of(WireErrors.Draining, 1));
        await old.SendAsync(ServerFrames.Delta(3, 1, " hello"));
        await scene.Lines.TextAsync("q-1", "Say hello");
        var attempt = await scene.AttemptAsync();
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(ServerFrames.Hello(seq: 3, open: ["q-1"], resuming: true));
        await socket.SendAsync(
            attempt.After == "2" ? [ServerFrames.Delta(3, 1, " hello", replay: true), ServerFrames.Resumed(3, ["q-1"])] : [ServerFrames.Resumed(3, ["q-1"])]);
        Check.Equal(1000, await old.EndAsync(), "the close code of the first socket");
        await socket.SendAsync(ServerFrames.Done(4, 2, "Say hello"));
        await scene.Lines.EndedAsync("q-1", "Say hello");
    }

    private static async Task MovesToNewEpochAsync(ClientScene scene)
    {
        var old = await BeginAsync(scene);
        await old.SendAsync("""{"type":"reconnect","reason":"draining","delay_ms":0}""");
        var outdated = await scene.AttemptAsync();
        Check.Equal("e1 2", $"{outdated.Epoch} {outdated.After}", "the position of the second socket");
        await old.SendAsync(ServerFrames.Resumed(7, ["q-1"], "epoch_changed", "e2"), ServerFrames.Snapshot(0, "", status: "recovering", epoch: "e2"),
            ServerFrames.Delta(8, 0, "Hi"));
        await scene.Lines.TextAsync("q-1", "Hi");
        var between = await outdated.OpenAsync();
        await between.SendAsync(ServerFrames.Hello(seq: 8, open: ["q-1"], resuming: true, epoch: "e2"));
        var attempt = await scene.AttemptAsync();
        Check.Equal("e2 8", $"{attempt.Epoch} {attempt.After}", "the position of the socket that is opened instead");
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(ServerFrames.Hello(seq: 8, open: ["q-1"], resuming: true, epoch: "e2"), ServerFrames.Resumed(8, ["q-1"], epoch: "e2"));
        Check.Equal(1000, await old.EndAsync(), "the close code of the first socket");
        await socket.SendAsync(ServerFrames.Done(9, 1, "Hi"));
        await scene.Lines.EndedAsync("q-1", "Hi");
    }

    private static async Task ConnectsAfterCloseAsync(ClientScene scene)
    {
        var old = await BeginAsync(scene);
        await old.SendAsync("""{"type":"reconnect","reason":"draining","delay_ms":60000}""");
        await old.CloseAsync(CloseCodes.Draining);
        var attempt = await scene.AttemptAsync();
        Check.Equal("e1 2", $"{attempt.Epoch} {attempt.After}", "the position of the client that comes back");
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(ServerFrames.Hello(seq: 2, open: ["q-1"], resuming: true), ServerFrames.Resumed(2, ["q-1"]), ServerFrames.Done(3, 1, "Say"));
        await scene.Lines.EndedAsync("q-1", "Say");
        await socket.ExpectNothingAsync(3);
    }

    private static async Task LeavesSilentServerAsync(ClientScene scene)
    {
        await scene.ConnectAsync();
        var sentMs = TimeProvider.System.GetElapsedTime(0).TotalMilliseconds;
        await scene.AcceptAsync(ServerFrames.Hello(seq: 7, heartbeatMs: 100));
        await scene.Lines.StateAsync("live");
        var attempt = await scene.AttemptAsync();
        Check.Equal("e1 7", $"{attempt.Epoch} {attempt.After}", "the position of the client that comes back");
        Check.That(attempt.AtMs - sentMs >= 290, "a wait of three times heartbeat_ms, which is 100", $"{attempt.AtMs - sentMs:0} ms");
    }
}
