using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Servers.Cases;

/// <summary>Asking, asking again, cancelling, queueing, replacing and removing over a v1 socket.</summary>
internal static class AnswerCases
{
    public static IEnumerable<ConformanceCase<ServerScene>> All { get; } =
    [
        new("4.answer", "a question leads to accepted, numbered deltas and a done with the right counts", AnswersAsync),
        new("4.followers", "all sockets are sent all events, and only those that did not ask are sent the question", TellsAllAsync),
        new("6.duplicate-running", "a repeated id of a running question is answered with its state, and is not asked again", RepeatsRunningAsync),
        new("6.duplicate-ended", "a repeated id of an ended question is answered with its end, and other sockets are sent nothing", RepeatsEndedAsync),
        new("6.conflict", "a repeated id with another text is a conflict", ConflictsAsync),
        new("6.busy", "a question while another is open is refused, with who is running and for how long", IsBusyAsync),
        new("6.queue", "a queued question is told its place, and starts after the one before it", QueuesAsync),
        new("6.queue-cancel", "a queued question can be cancelled, and the running one goes on", CancelsQueuedAsync),
        new("6.replace", "a replacing question ends the running and the queued ones, then is accepted", ReplacesAsync),
        new("6.cancel", "a cancel is answered with 'cancelling', and only the cancelled done follows", CancelsAsync),
        new("6.cancel-ended", "a cancel of an ended question repeats its done", CancelsEndedAsync),
        new("6.cancel-unknown", "a cancel of an unknown question, or of none, is refused", RefusesCancelAsync),
        new("6.remove", "removing a session ends its question and closes its sockets with 4104, and the id begins a new epoch", RemovesAsync),
    ];

    private static async Task AnswersAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await socket.AskAsync("q-1", ScriptedAnswers.ShortQuestion);
        var accepted = await socket.ExpectAsync("accepted", "q-1");
        Check.Equal(1, accepted.Number("seq"), "the number of the first event");
        Check.Equal(0, accepted.Number("position"), "the position of a question that starts now");
        Check.Equal(false, accepted.Flag("duplicate"), "duplicate");
        Check.That(!accepted.Has("question"), "no question on the socket that asked", accepted);
        await scene.Answers.AnswerShortAsync("q-1");
        var done = await socket.UntilAsync("done", "q-1");
        Check.Equal("completed", done.Text("status"), "the status");
        Check.Equal(null, done.Text("reason"), "the reason of a complete answer");
        var stored = await scene.ReadAsync("q-1");
        Check.Equal(stored.Text("text"), socket.Log.TextOf("q-1"), "the text, as HTTP has it");
        Check.Equal(stored.Number("deltas"), done.Number("deltas"), "deltas, as HTTP has them");
        await socket.ExpectNothingAsync();
    }

    private static async Task TellsAllAsync(ServerScene scene)
    {
        var (asking, other) = (await scene.OpenAsync(), await scene.OpenAsync());
        await asking.AskAsync("q-1", ScriptedAnswers.ShortQuestion);
        await asking.ExpectAsync("accepted", "q-1");
        Check.Equal(ScriptedAnswers.ShortQuestion, (await other.ExpectAsync("accepted", "q-1")).Text("question"), "the question on the other socket");
        await scene.Answers.AnswerShortAsync("q-1");
        await asking.UntilAsync("done", "q-1");
        await other.UntilAsync("done", "q-1");
        Check.Equal(asking.Log.TextOf("q-1"), other.Log.TextOf("q-1"), "the text on the other socket");
        await other.ExpectNothingAsync();
    }

    private static async Task RepeatsRunningAsync(ServerScene scene)
    {
        var first = await scene.OpenAsync();
        await scene.Answers.BeginAsync(first, "q-1", deltas: 2);
        var socket = await scene.OpenAsync();
        await socket.ExpectAsync("snapshot", "q-1");
        await socket.AskAsync("q-1", scene.Answers.LongQuestion);
        var accepted = await socket.UntilAsync("accepted", "q-1");
        Check.Equal(true, accepted.Flag("duplicate"), "duplicate");
        Check.Equal(1, accepted.Number("seq"), "the original number");
        await socket.UntilAsync("snapshot", "q-1");
        await scene.Answers.FinishAsync("q-1");
        await socket.UntilAsync("done", "q-1");
        await first.UntilAsync("done", "q-1");
        Check.Equal(first.Log.TextOf("q-1"), (await scene.ReadAsync("q-1")).Text("text"), "the one answer");
    }

    private static async Task RepeatsEndedAsync(ServerScene scene)
    {
        var (socket, other) = (await scene.OpenAsync(), await scene.OpenAsync());
        await socket.AskAsync("q-1", ScriptedAnswers.ShortQuestion);
        await scene.Answers.AnswerShortAsync("q-1");
        var first = await socket.UntilAsync("done", "q-1");
        await other.UntilAsync("done", "q-1");
        await socket.AskAsync("q-1", ScriptedAnswers.ShortQuestion);
        Check.Equal(true, (await socket.ExpectAsync("accepted", "q-1")).Flag("duplicate"), "duplicate");
        Check.Equal("completed", (await socket.ExpectAsync("snapshot", "q-1")).Text("status"), "the status of the snapshot");
        var done = await socket.ExpectAsync("done", "q-1");
        Check.Equal(true, done.Flag("replay"), "replay");
        Check.Equal(first.Number("seq"), done.Number("seq"), "the original number");
        await socket.ExpectNothingAsync();
        await other.ExpectNothingAsync();
    }

    private static async Task ConflictsAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await scene.Answers.BeginAsync(socket, "q-1");
        await socket.AskAsync("q-1", "Another text");
        var error = await socket.UntilAsync("error");
        Check.Equal("question_conflict q-1", $"{error.Text("code")} {error.QuestionId}", "the code, and the question of the error");
        (await scene.AskOverHttpAsync("q-1", "Another text")).ExpectProblem(WireErrors.QuestionConflict);
    }

    private static async Task IsBusyAsync(ServerScene scene)
    {
        var (asking, other) = (await scene.OpenAsync(), await scene.OpenAsync());
        await scene.Answers.BeginAsync(asking, "q-1");
        await other.AskAsync("q-2", "And now?");
        var error = await other.UntilAsync("error");
        Check.Equal("session_busy", error.Text("code"), "the code");
        Check.Equal("Please wait for the previous response", error.Text("message"), "the message");
        Check.Equal("q-1 q-2", $"{error.Text("active_question_id")} {error.QuestionId}", "the running question, and the refused one");
        Check.That(error.Number("active_for_ms") >= 0 && error.Number("retry_after_ms") >= 0, "active_for_ms and retry_after_ms", error);
        (await scene.CallAsync(HttpMethod.Get, "/questions/q-2")).ExpectProblem(WireErrors.QuestionNotFound);
    }

    private static async Task QueuesAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await scene.Answers.BeginAsync(socket, "q-1");
        await socket.AskAsync("q-2", ScriptedAnswers.ShortQuestion, "queue");
        Check.Equal(1, (await socket.UntilAsync("accepted", "q-2")).Number("position"), "the position of the first in the queue");
        await socket.AskAsync("q-3", "And then?", "queue");
        Check.Equal(2, (await socket.UntilAsync("accepted", "q-3")).Number("position"), "the position of the second in the queue");
        var open = (await scene.OpenAsync()).Hello.List("open");
        Check.Equal("q-1 q-2 q-3", string.Join(' ', open.Select(each => each.QuestionId)), "the open questions, in their order");
        await socket.SendAsync(Frames.Cancel("q-3"));
        await socket.UntilAsync("done", "q-3");
        await scene.Answers.FinishAsync("q-1");
        await socket.UntilAsync("done", "q-1");
        await scene.Answers.AnswerShortAsync("q-2");
        Check.Equal("completed", (await socket.UntilAsync("done", "q-2")).Text("status"), "how the queued question ended");
    }

    private static async Task CancelsQueuedAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await scene.Answers.BeginAsync(socket, "q-1");
        await socket.AskAsync("q-2", "And then?", "queue");
        await socket.UntilAsync("accepted", "q-2");
        await socket.SendAsync(Frames.Cancel("q-2"));
        await socket.UntilAsync("cancelling", "q-2");
        Check.Equal("by_client", (await socket.UntilAsync("done", "q-2")).Text("reason"), "the reason");
        await scene.Answers.GrowAsync(socket, "q-1");
    }

    private static async Task ReplacesAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await scene.Answers.BeginAsync(socket, "q-1");
        await socket.AskAsync("q-2", "And then?", "queue");
        await socket.UntilAsync("accepted", "q-2");
        await socket.AskAsync("q-3", ScriptedAnswers.ShortQuestion, "replace");
        var ended = new List<string>();
        Frame frame;
        while ((frame = await socket.NextAsync("the end of q-1 and q-2, then 'accepted' of q-3")).Type != "accepted")
        {
            if (frame.Type == "done")
            {
                Check.Equal("cancelled replaced", $"{frame.Text("status")} {frame.Text("reason")}", "how the replaced question ended");
                ended.Add(frame.QuestionId!);
            }
        }

        Check.Equal("q-1 q-2", string.Join(' ', ended.Order(StringComparer.Ordinal)), "the questions that ended before");
        Check.Equal("q-3 0", $"{frame.QuestionId} {frame.Number("position")}", "the accepted question, and its position");
        await scene.Answers.AnswerShortAsync("q-3");
        await socket.UntilAsync("done", "q-3");
    }

    private static async Task CancelsAsync(ServerScene scene)
    {
        var (socket, other) = (await scene.OpenAsync(), await scene.OpenAsync());
        await scene.Answers.BeginAsync(socket, "q-1", deltas: 2);
        await other.SendAsync(Frames.Cancel(null));
        await other.UntilAsync("cancelling", "q-1");
        var done = await other.ExpectAsync("done", "q-1");
        Check.Equal("cancelled by_client", $"{done.Text("status")} {done.Text("reason")}", "how the question ended");
        Check.Equal("cancelled", (await socket.UntilAsync("done", "q-1")).Text("status"), "how the question ended for the socket that asked");
        Check.That(socket.Log.TextOf("q-1").Length > 0, "the text so far", "none");
        Check.Equal((await scene.ReadAsync("q-1")).Text("text"), socket.Log.TextOf("q-1"), "the text, as HTTP has it");
        await socket.ExpectNothingAsync();
    }

    private static async Task CancelsEndedAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await socket.AskAsync("q-1", ScriptedAnswers.ShortQuestion);
        await scene.Answers.AnswerShortAsync("q-1");
        var first = await socket.UntilAsync("done", "q-1");
        for (var i = 0; i < 2; i++)
        {
            await socket.SendAsync(Frames.Cancel("q-1"));
            var done = await socket.ExpectAsync("done", "q-1");
            Check.Equal($"{first.Number("seq")} completed True", $"{done.Number("seq")} {done.Text("status")} {done.Flag("replay")}",
                "the done again, as a replay");
        }

        await socket.ExpectNothingAsync();
    }

    private static async Task RefusesCancelAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await socket.SendAsync(Frames.Cancel(null));
        await socket.ExpectErrorAsync("no_open_question");
        await socket.SendAsync(Frames.Cancel("unknown"));
        Check.Equal("unknown", (await socket.ExpectErrorAsync("question_not_found")).QuestionId, "the question of the error");
        await socket.ExpectNothingAsync();
    }

    private static async Task RemovesAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await scene.Answers.BeginAsync(socket, "q-1");
        var removed = await scene.CallAsync(HttpMethod.Delete, "");
        if (removed.Status is 401 or 403)
        {
            throw new CaseSkippedException("This caller may not remove sessions. Use a token.");
        }

        Check.Equal(204, removed.Status, "the status of a removal");
        var done = await socket.UntilAsync("done", "q-1");
        Check.Equal("cancelled session_removed", $"{done.Text("status")} {done.Text("reason")}", "how the question ended");
        await socket.ExpectCloseAsync(CloseCodes.SessionRemoved);
        Check.Equal(204, (await scene.CallAsync(HttpMethod.Delete, "")).Status, "the status of a repeated removal");
        var again = await scene.OpenAsync();
        await again.AskAsync("q-1", ScriptedAnswers.ShortQuestion);
        Check.Equal(false, (await again.ExpectAsync("accepted", "q-1")).Flag("duplicate"), "duplicate in the new epoch");
        Check.That(again.Log.Epoch != socket.Log.Epoch, "a new epoch", again.Log.Epoch);
    }
}
