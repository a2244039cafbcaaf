using System.Text;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Servers.Cases;

/// <summary>Requests over HTTP, event streams, and answers from outside.</summary>
internal static class HttpCases
{
    public static IEnumerable<ConformanceCase<ServerScene>> All { get; } =
    [
        new("11.ask", "asking is answered with 202 and the address of the question, and with 200 when it is repeated", AsksAsync),
        new("11.ask-and-wait", "with Prefer: wait the reply has the answer", WaitsAsync),
        new("11.idempotency-key", "Idempotency-Key is the id, and must not differ from the body's", TakesKeyAsync),
        new("11.busy", "a refused question is a problem document with who is running", IsBusyAsync),
        new("11.question", "a question is read while it is open and when it has ended", ReadsQuestionAsync),
        new("11.history", "the last questions are read, oldest first, up to a limit", ReadsHistoryAsync),
        new("11.session", "a session is read with its state and its open questions", ReadsSessionAsync),
        new("11.cancel", "a cancel is answered with 202, and with 200 and the question when that has ended", CancelsAsync),
        new("11.event-stream", "an event stream has the frames of a socket, with ids, and resumes by Last-Event-ID", StreamsAsync),
        new("11.event-stream-question", "a stream of one question ends after its done, and then there is nothing to come back for", StreamsQuestionAsync),
        new("11.ask-and-stream", "a request for an event stream asks and streams the answer", AsksAndStreamsAsync),
        new("11.answer-whole", "a question is answered from outside as a whole", AnswersWholeAsync),
        new("11.answer-pieces", "pieces are joined by their offsets, a repeated one once, and a wrong one is refused", AnswersInPiecesAsync),
        new("11.answer-lines", "one request carries many pieces, a line each", AnswersInLinesAsync),
    ];

    private static async Task AsksAsync(ServerScene scene)
    {
        var reply = await scene.AskOverHttpAsync("q-1", ScriptedAnswers.ShortQuestion);
        var asked = reply.Expect(202);
        Check.Equal("q-1 0", $"{asked.QuestionId} {asked.Number("position")}", "question_id and position");
        Check.That(asked.Text("state") is not null && asked.Text("epoch") is not null && asked.Number("seq") == 1, "state, epoch and seq", asked);
        Check.That(
            reply.Headers.Location?.OriginalString.EndsWith($"/{scene.Session}/questions/q-1", StringComparison.Ordinal) == true,
            "the address of the question in Location",
            reply.Headers.Location);
        await scene.Answers.AnswerShortAsync("q-1");
        await scene.UntilEndedAsync("q-1");
        var again = (await scene.AskOverHttpAsync("q-1", ScriptedAnswers.ShortQuestion)).Expect(200);
        Check.Equal("completed", again.Text("status"), "the status of the repeated question");
    }

    private static async Task WaitsAsync(ServerScene scene)
    {
        var asking = scene.AskOverHttpAsync("q-1", ScriptedAnswers.ShortQuestion, null, ("Prefer", "wait=20"));
        await scene.Answers.AnswerShortAsync("q-1");
        var answer = (await asking).Expect(200);
        Check.Equal("completed", answer.Text("status"), "the status");
        Check.Equal((await scene.ReadAsync("q-1")).Text("text"), answer.Text("text"), "the text");
    }

    private static async Task TakesKeyAsync(ServerScene scene)
    {
        var asked = (await scene.CallAsync(HttpMethod.Post, "/questions", Frames.Question(null, scene.Answers.LongQuestion),
            ("Idempotency-Key", "k-1"))).Expect(202);
        Check.Equal("k-1", asked.QuestionId, "the id of the question");
        (await scene.CallAsync(HttpMethod.Post, "/questions", Frames.Question("k-2", "a"), ("Idempotency-Key", "k-3"))).ExpectProblem(WireErrors.BadRequest);
    }

    private static async Task IsBusyAsync(ServerScene scene)
    {
        await scene.Answers.AskLongAsync("q-1");
        var problem = (await scene.AskOverHttpAsync("q-2", "And now?")).ExpectProblem(WireErrors.SessionBusy);
        Check.Equal("Please wait for the previous response", problem.Text("detail"), "the detail");
        Check.Equal("q-1 q-2", $"{problem.Text("active_question_id")} {problem.QuestionId}", "the running question, and the refused one");
        (await scene.AskOverHttpAsync("q-1", "Another text")).ExpectProblem(WireErrors.QuestionConflict);
        var queued = (await scene.AskOverHttpAsync("q-3", "And then?", "queue")).Expect(202);
        Check.Equal(1, queued.Number("position"), "the position in the queue");
    }

    private static async Task ReadsQuestionAsync(ServerScene scene)
    {
        await scene.Answers.AskLongAsync("q-1");
        var open = await scene.ReadAsync("q-1");
        Check.That(open.Text("state") is "accepted" or "answering" && open.Number("deadline_ms") > 0 && !open.Has("status"),
            "an open question with its deadline", open);
        Check.Equal(scene.Answers.LongQuestion, open.Text("question"), "the question");
        await scene.Answers.FinishAsync("q-1");
        var ended = await scene.UntilEndedAsync("q-1");
        Check.Equal(scene.Answers.EndStatus, ended.Text("status"), "the status");
        Check.That(ended.Number("done_seq") > ended.Number("accepted_seq") && ended.Number("total_ms") >= 0, "done_seq and total_ms", ended);
        Check.Equal(Encoding.UTF8.GetByteCount(ended.Text("text")!), ended.Number("bytes"), "the bytes of the text");
        (await scene.CallAsync(HttpMethod.Get, "/questions/unknown")).ExpectProblem(WireErrors.QuestionNotFound);
    }

    private static async Task ReadsHistoryAsync(ServerScene scene)
    {
        foreach (var id in new[] { "q-1", "q-2" })
        {
            (await scene.AskOverHttpAsync(id, ScriptedAnswers.ShortQuestion)).Expect(202);
            await scene.Answers.AnswerShortAsync(id);
            await scene.UntilEndedAsync(id);
        }

        var all = (await scene.CallAsync(HttpMethod.Get, "/questions")).Expect(200).List("questions");
        Check.Equal("q-1 q-2", string.Join(' ', all.Select(each => each.QuestionId)), "the questions, oldest first");
        var last = (await scene.CallAsync(HttpMethod.Get, "/questions?limit=1")).Expect(200).List("questions");
        Check.Equal("q-2", string.Join(' ', last.Select(each => each.QuestionId)), "the last question");
    }

    private static async Task ReadsSessionAsync(ServerScene scene)
    {
        await scene.Answers.AskLongAsync("q-1");
        var session = (await scene.CallAsync(HttpMethod.Get, "")).Expect(200);
        Check.Equal(scene.Session, session.Text("session"), "session");
        Check.That(session.Text("state") is "accepted" or "answering", "the state of the running question", session);
        Check.Equal("q-1", string.Join(' ', session.List("open").Select(each => each.QuestionId)), "the open questions");
        await scene.Answers.FinishAsync("q-1");
        await scene.UntilEndedAsync("q-1");
        Check.Equal("idle", (await scene.CallAsync(HttpMethod.Get, "")).Expect(200).Text("state"), "the state afterwards");
    }

    private static async Task CancelsAsync(ServerScene scene)
    {
        await scene.Answers.AskLongAsync("q-1");
        var cancelling = (await scene.CallAsync(HttpMethod.Post, "/questions/q-1/cancel")).Expect(202);
        Check.Equal("q-1 cancelling", $"{cancelling.QuestionId} {cancelling.Text("state")}", "the question that is being cancelled");
        Check.Equal("by_client", (await scene.UntilEndedAsync("q-1")).Text("reason"), "the reason");
        Check.Equal("cancelled", (await scene.CallAsync(HttpMethod.Post, "/questions/q-1/cancel")).Expect(200).Text("status"),
            "the status of the ended question");
        (await scene.CallAsync(HttpMethod.Post, "/questions/unknown/cancel")).ExpectProblem(WireErrors.QuestionNotFound);
    }

    private static async Task StreamsAsync(ServerScene scene)
    {
        using var stream = await scene.StreamAsync("/events");
        var hello = await stream.ExpectAsync("hello");
        var epoch = hello.Frame.Text("epoch");
        Check.Equal($"{epoch}.0", hello.Id, "the id of hello");
        (await scene.AskOverHttpAsync("q-1", ScriptedAnswers.ShortQuestion)).Expect(202);
        var accepted = await stream.ExpectAsync("accepted");
        Check.Equal($"{epoch}.1", accepted.Id, "the id of the first event");
        await scene.Answers.AnswerShortAsync("q-1");
        var text = "";
        (string? Id, Frame Frame) next;
        while ((next = await stream.NextAsync() ?? throw new CaseFailedException("'done'", "the end of the stream")).Frame.Type != "done")
        {
            Check.Equal($"{epoch}.{next.Frame.Number("seq")}", next.Id, "the id of an event: the epoch, a dot and its number");
            text += next.Frame.Text("text");
        }

        Check.Equal((await scene.ReadAsync("q-1")).Text("text"), text, "the streamed text");
        using var again = await scene.StreamAsync("/events", accepted.Id);
        await again.ExpectAsync("hello");
        var replayed = "";
        while ((next = await again.NextAsync() ?? throw new CaseFailedException("'resumed'", "the end of the stream")).Frame.Type != "resumed")
        {
            Check.Equal(true, next.Frame.Flag("replay"), "replay");
            replayed += next.Frame.Text("text");
        }

        Check.Equal(text, replayed, "the replayed text");
        Check.Equal($"{epoch}.{next.Frame.Number("to_seq")}", next.Id, "the id of 'resumed'");
    }

    private static async Task StreamsQuestionAsync(ServerScene scene)
    {
        await scene.Answers.AskLongAsync("q-1");
        using var stream = await scene.StreamAsync("/events?question=q-1");
        await stream.ExpectAsync("hello");
        await scene.Answers.FinishAsync("q-1");
        var events = await stream.RestAsync();
        Check.Equal("done q-1", events.Count == 0 ? "" : $"{events[^1].Frame.Type} {events[^1].Frame.QuestionId}", "the last event of the stream");
        using var nothing = await scene.StreamAsync("/events?question=q-1", events[^1].Id);
        Check.Equal(204, nothing.Status, "the status when nothing will follow");
        using var unknown = await scene.StreamAsync("/events?question=unknown");
        Check.Equal(404, unknown.Status, "the status for an unknown question");
    }

    private static async Task AsksAndStreamsAsync(ServerScene scene)
    {
        using var stream = await scene.StreamAsync("/questions", question: Frames.Question("q-1", ScriptedAnswers.ShortQuestion));
        await stream.ExpectAsync("hello");
        await scene.Answers.AnswerShortAsync("q-1");
        var events = await stream.RestAsync();
        var types = events.Select(each => each.Frame.Type).ToList();
        Check.That(types.Contains("accepted") && types[^1] == "done", "the events from 'accepted' to 'done'", string.Join(' ', types));
        Check.Equal((await scene.ReadAsync("q-1")).Text("text"), string.Concat(events.Select(each => each.Frame.Text("text"))), "the streamed text");
    }

    private static async Task AnswersWholeAsync(ServerScene scene)
    {
        SkipUnlessExternal(scene);
        (await scene.CallAsync(HttpMethod.Post, "/response", """{"response":"early"}""")).ExpectProblem(WireErrors.NoOpenQuestion);
        var socket = await scene.OpenAsync();
        await socket.AskAsync("q-1", "What is a silo?");
        await socket.ExpectAsync("accepted");
        var reply = (await scene.CallAsync(HttpMethod.Post, "/response", """{"response":"A process.","question_id":"q-1"}""")).Expect(200);
        Check.Equal("q-1 True", $"{reply.QuestionId} {reply.Flag("delivered")}", "question_id and delivered");
        await socket.UntilAsync("done", "q-1");
        Check.Equal("A process.", socket.Log.TextOf("q-1"), "the answer");
    }

    private static async Task AnswersInPiecesAsync(ServerScene scene)
    {
        SkipUnlessExternal(scene);
        await scene.Answers.AskLongAsync("q-1");
        Task<HttpReply> AnswerAsync(string body) => scene.CallAsync(HttpMethod.Post, "/questions/q-1/answer", body);
        for (var i = 0; i < 2; i++)
        {
            Check.Equal(8, (await AnswerAsync("""{"attempt":1,"offset":0,"text":"H\u00e9llo, ","final":false}""")).Expect(200).Number("offset"),
                "the next offset, in bytes");
        }

        var wrong = (await AnswerAsync("""{"attempt":1,"offset":3,"text":"all","final":false}""")).ExpectProblem(WireErrors.OffsetMismatch);
        Check.Equal(8, wrong.Number("expected_offset"), "expected_offset");
        (await AnswerAsync("""{"attempt":0,"offset":8,"text":"all","final":false}""")).ExpectAnyProblem("stale_attempt", "bad_request");
        (await AnswerAsync("""{"attempt":1,"offset":8,"text":"all.","final":true}""")).Expect(200);
        Check.Equal("H\u00e9llo, all.", (await scene.UntilEndedAsync("q-1")).Text("text"), "the answer");
        (await AnswerAsync("""{"attempt":1,"offset":12,"text":"more","final":false}""")).ExpectProblem(WireErrors.AlreadyDone);
    }

    private static async Task AnswersInLinesAsync(ServerScene scene)
    {
        SkipUnlessExternal(scene);
        await scene.Answers.AskLongAsync("q-1");
        const string Lines = "{\"attempt\":1,\"offset\":0,\"text\":\"Hello, \"}\n\n{\"text\":\"all of \"}\r\n{\"text\":\"you.\",\"final\":true}";
        var reply = await scene.CallAnyAsync(HttpMethod.Post, $"/{scene.Session}/questions/q-1/answer",
            new StringContent(Lines, Encoding.UTF8, "application/x-ndjson"));
        Check.Equal(18, reply.Expect(200).Number("offset"), "the bytes of the answer");
        Check.Equal("Hello, all of you.", (await scene.UntilEndedAsync("q-1")).Text("text"), "the answer");
    }

    private static void SkipUnlessExternal(ServerScene scene)
    {
        if (!scene.Target.IsExternal)
        {
            throw new CaseSkippedException($"The responder '{scene.Target.Responder}' is not answered from outside.");
        }
    }
}
