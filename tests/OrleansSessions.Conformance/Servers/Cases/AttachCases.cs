using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Servers.Cases;

/// <summary>Profiles, the upgrade, the first frame, and the basic profile.</summary>
internal static class AttachCases
{
    public static IEnumerable<ConformanceCase<ServerScene>> All { get; } =
    [
        new("1.session-id", "a malformed session id is refused over HTTP", RefusesSessionIdsAsync),
        new("2.subprotocol", "the subprotocol sessions.v1.json is selected, also beside others", SelectsSubprotocolAsync),
        new("2.query", "v=1 without a subprotocol opens a v1 socket", OpensByQueryAsync),
        new("2.unsupported-protocol", "an unknown v, or none but unknown subprotocols, is refused over HTTP", RefusesProtocolsAsync),
        new("2.refusal-for-pages", "a page is told a refusal inside a WebSocket, which closes with 4126", TellsPagesAsync),
        new("2.foreign-origin", "the page of a foreign origin is refused", RefusesForeignPageAsync),
        new("3.answer", "a basic socket is sent nothing unasked, and one frame for each question", BasicAnswerAsync),
        new("3.content", "'content' is a question, whatever the type", BasicContentAsync),
        new("3.busy", "the message of a busy session is exactly the one that clients compare", BasicBusyAsync),
        new("3.cancel", "a basic socket can cancel, and is sent an error with the text so far", BasicCancelAsync),
        new("3.orphan", "a question without an id gives way when its basic socket is gone", BasicOrphanAsync),
        new("4.hello", "hello is the first frame, with all its fields", HelloAsync),
        new("4.ping", "a ping is answered with the position", PingAsync),
        new("7.close", "a close frame is answered with the same code", AnswersCloseAsync),
    ];

    private static async Task RefusesSessionIdsAsync(ServerScene scene)
    {
        foreach (var id in new[] { "no%20spaces", "%C3%A9", new string('a', 129) })
        {
            (await scene.CallAnyAsync(HttpMethod.Get, $"/{id}", null)).ExpectProblem(WireErrors.BadRequest);
            try
            {
                await scene.DialAsync("", [WireSocket.V1], id);
            }
            catch (UpgradeRefusedException refused)
            {
                Check.Equal(400, refused.Status, "the answer to an upgrade with a malformed session id");
                continue;
            }

            throw new CaseFailedException("400 for an upgrade with a malformed session id", "a socket");
        }
    }

    private static async Task SelectsSubprotocolAsync(ServerScene scene)
    {
        var socket = await scene.DialAsync("", ["other", WireSocket.V1]);
        Check.Equal(WireSocket.V1, socket.SubProtocol, "the selected subprotocol");
        await socket.TakeHelloAsync("");
    }

    private static async Task OpensByQueryAsync(ServerScene scene)
    {
        var socket = await scene.DialAsync("v=1", []);
        Check.Equal(null, socket.SubProtocol, "the selected subprotocol");
        await socket.TakeHelloAsync("");
    }

    private static async Task RefusesProtocolsAsync(ServerScene scene)
    {
        foreach (var (query, offered) in new (string, string[])[] { ("v=9", []), ("", ["other"]) })
        {
            try
            {
                await scene.DialAsync(query, offered);
            }
            catch (UpgradeRefusedException refused)
            {
                Check.Equal(400, refused.Status, "the answer to an upgrade without a common protocol");
                continue;
            }

            throw new CaseFailedException("400 for an upgrade without a common protocol", "a socket");
        }
    }

    private static async Task TellsPagesAsync(ServerScene scene)
    {
        var socket = await scene.DialAsync("v=9", [], origin: scene.Target.Origin);
        await socket.ExpectErrorAsync("unsupported_protocol");
        await socket.ExpectCloseAsync(CloseCodes.UnsupportedProtocol);
    }

    private static async Task RefusesForeignPageAsync(ServerScene scene)
    {
        try
        {
            await scene.DialAsync("", [WireSocket.V1], origin: "https://foreign.example");
        }
        catch (UpgradeRefusedException refused)
        {
            Check.Equal(403, refused.Status, "the answer to a foreign origin");
            var reply = await scene.CallAsync(HttpMethod.Get, "", null, ("Origin", "https://foreign.example"));
            Check.That(reply.ExpectProblem(WireErrors.Forbidden).Text("detail")!.Contains("foreign.example", StringComparison.Ordinal),
                "the origin in the detail", reply);
            return;
        }

        throw new CaseSkippedException("The server allows the pages of all origins.");
    }

    private static async Task BasicAnswerAsync(ServerScene scene)
    {
        var socket = await scene.DialAsync("", []);
        await socket.SendAsync($$"""{"question":"{{ScriptedAnswers.ShortQuestion}}","id":"q-1","unknown":[1]}""");
        await scene.Answers.AnswerShortAsync("q-1");
        var response = await socket.ExpectAsync("response", "q-1");
        Check.Equal("completed", response.Text("status"), "the status");
        Check.Equal((await scene.ReadAsync("q-1")).Text("text"), response.Text("data"), "the answer");
        // The answer to a repeated question is the next frame: there was nothing between.
        await socket.SendAsync($$"""{"question":"{{ScriptedAnswers.ShortQuestion}}","id":"q-1"}""");
        await socket.ExpectAsync("response", "q-1");
    }

    private static async Task BasicContentAsync(ServerScene scene)
    {
        var socket = await scene.DialAsync("", []);
        await socket.SendAsync($$"""{"type":"message","content":"{{ScriptedAnswers.ShortQuestion}}","id":"q-1"}""");
        await scene.Answers.AnswerShortAsync("q-1");
        await socket.ExpectAsync("response", "q-1");
        Check.Equal(ScriptedAnswers.ShortQuestion, (await scene.ReadAsync("q-1")).Text("question"), "the question");
    }

    private static async Task BasicBusyAsync(ServerScene scene)
    {
        var socket = await scene.DialAsync("", []);
        await scene.Answers.AskLongAsync("q-1");
        await socket.SendAsync("""{"question":"And now?","id":"q-2"}""");
        var error = await socket.ExpectErrorAsync("session_busy");
        Check.Equal("Please wait for the previous response", error.Text("message"), "the message");
        Check.Equal("q-1 q-2", $"{error.Text("active_question_id")} {error.QuestionId}", "the running question, and the refused one");
        Check.That(error.Number("active_for_ms") >= 0, "active_for_ms", error);
    }

    private static async Task BasicCancelAsync(ServerScene scene)
    {
        var socket = await scene.DialAsync("", []);
        await socket.SendAsync(Frames.Question("q-1", scene.Answers.LongQuestion));
        await scene.UntilAcceptedAsync("q-1");
        await socket.SendAsync("""{"type":"cancel"}""");
        var error = await socket.ExpectAsync("error", "q-1");
        Check.Equal("by_client cancelled", $"{error.Text("code")} {error.Text("status")}", "the code and the status");
        Check.Equal((await scene.ReadAsync("q-1")).Text("text"), error.Text("data"), "the text so far");
    }

    private static async Task BasicOrphanAsync(ServerScene scene)
    {
        var gone = await scene.DialAsync("", []);
        var watching = await scene.OpenAsync();
        await gone.SendAsync(Frames.Question(null, scene.Answers.LongQuestion));
        var orphan = (await watching.UntilAsync("accepted")).QuestionId;
        gone.Abort();
        // Whether or not the server has noticed the end, the newer socket comes first.
        var socket = await scene.DialAsync("", []);
        await socket.SendAsync(Frames.Question("q-2", scene.Answers.LongQuestion));
        var done = await watching.UntilAsync("done", orphan);
        Check.Equal("cancelled replaced", $"{done.Text("status")} {done.Text("reason")}", "how the orphan ended");
        await watching.UntilAsync("accepted", "q-2");
    }

    private static async Task HelloAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        var hello = socket.Hello;
        Check.Equal("sessions.v1", hello.Text("protocol"), "protocol");
        Check.Equal(scene.Session, hello.Text("session"), "session");
        Check.That(hello.Text("durability") is "stored" or "memory", "durability: stored or memory", hello);
        Check.Equal(0, hello.Number("seq"), "seq of a session that was never asked");
        Check.Equal(1, hello.Inner("resume")?.Number("oldest_seq"), "resume.oldest_seq: one more than seq, because there is none");
        Check.That(hello.Inner("resume")?.Number("ttl_ms") > 0, "resume.ttl_ms", hello);
        Check.That(hello.Number("heartbeat_ms") > 0, "heartbeat_ms", hello);
        Check.That(hello.Inner("limits")?.Number("message_bytes") > 0 && hello.Inner("limits")?.Number("question_bytes") > 0, "limits", hello);
        var (min, max) = (hello.Inner("reconnect")?.Number("min_ms"), hello.Inner("reconnect")?.Number("max_ms"));
        Check.That(min > 0 && max >= min, "reconnect.min_ms, and max_ms that is not less", hello);
        Check.Equal(0, hello.List("open").Count, "the number of open questions");
        await scene.Answers.AskLongAsync("q-1");
        var second = await scene.OpenAsync();
        var open = second.Hello.List("open");
        Check.Equal("q-1", string.Join(' ', open.Select(each => each.QuestionId)), "the open questions");
        Check.That(open[0].Text("state") is "accepted" or "answering", "the state 'accepted' or 'answering'", open[0]);
        Check.That(open[0].Number("age_ms") >= 0, "age_ms", open[0]);
        Check.That(second.Hello.Text("connection") != hello.Text("connection"), "a connection of its own for each socket", second.Hello);
    }

    private static async Task PingAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await socket.SendAsync("""{"type":"ping"}""");
        Check.Equal(0, (await socket.ExpectAsync("ping")).Number("seq"), "the position");
        await socket.SendAsync("""{"type":"pong","seq":0}""");
        await socket.ExpectNothingAsync();
    }

    private static async Task AnswersCloseAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        Check.Equal(CloseCodes.Normal, await socket.CloseAsync(CloseCodes.Normal), "the code of the answer");
        socket = await scene.OpenAsync();
        Check.Equal(CloseCodes.GoingAway, await socket.CloseAsync(CloseCodes.GoingAway), "the code of the answer");
    }
}
