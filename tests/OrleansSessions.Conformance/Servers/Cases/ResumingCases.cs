using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Servers.Cases;

/// <summary>Attaching in mid-answer, and coming back with a position.</summary>
internal static class ResumingCases
{
    private const long Beyond = 1_000_000;

    public static IEnumerable<ConformanceCase<ServerScene>> All { get; } =
    [
        new("5.fresh-socket", "a socket that opens in mid-answer is sent a snapshot, then what follows", StartsWithSnapshotAsync),
        new("5.resume", "a returning socket is replayed exactly what it missed, then what follows", ResumesAsync),
        new("5.resume-from-start", "a socket that returns from position 0 is replayed everything", ResumesFromStartAsync),
        new("5.rewind", "a 'resume' frame replays on the open socket", RewindsAsync),
        new("5.trimmed", "a position beyond the head leads to recovered: false, 'trimmed' and a snapshot", RefusesPositionBeyondAsync),
        new("5.epoch-changed", "an unknown epoch leads to recovered: false, 'epoch_changed' and a snapshot, also on an open socket", RefusesOtherEpochAsync),
        new("5.expired", "an epoch of a session that does not exist leads to recovered: false and 'expired'", RefusesExpiredAsync),
    ];

    private static async Task StartsWithSnapshotAsync(ServerScene scene)
    {
        var first = await scene.OpenAsync();
        await scene.Answers.BeginAsync(first, "q-1", deltas: 2);
        var socket = await scene.OpenAsync();
        Check.Equal(false, socket.Hello.Flag("resuming"), "resuming");
        await socket.ExpectAtOnceAsync("snapshot", "q-1");
        await scene.Answers.GrowAsync(socket, "q-1");
        await scene.Answers.FinishAsync("q-1");
        await first.UntilAsync("done", "q-1");
        await socket.UntilAsync("done", "q-1");
        Check.Equal(first.Log.TextOf("q-1"), socket.Log.TextOf("q-1"), "the text on the second socket");
    }

    private static async Task ResumesAsync(ServerScene scene)
    {
        var (witness, lost) = (await scene.OpenAsync(), await scene.OpenAsync());
        await scene.Answers.BeginAsync(lost, "q-1", deltas: 2);
        lost.Abort();
        var (before, after) = (lost.Log.TextOf("q-1"), lost.Log.Last);
        await witness.UntilAsync("delta", "q-1");
        await scene.Answers.GrowAsync(witness, "q-1", 3);
        var socket = await scene.ComeBackAsync(lost);
        var replayed = await ReplayAsync(socket, after);
        Check.That(replayed.Length > 0, "a replay of what was missed", "nothing");
        await scene.Answers.GrowAsync(socket, "q-1");
        await scene.Answers.FinishAsync("q-1");
        await witness.UntilAsync("done", "q-1");
        var done = await socket.UntilAsync("done", "q-1");
        Check.That(done.Flag("replay") is null, "a live done", done);
        var whole = witness.Log.TextOf("q-1");
        Check.That(whole.StartsWith(before + replayed, StringComparison.Ordinal), "the replayed text in its place", before + replayed);
        Check.Equal(whole, socket.Log.TextOf("q-1"), "the text of the socket that came back");
        Check.Equal((await scene.ReadAsync("q-1")).Text("text"), whole, "the text, as HTTP has it");
    }

    private static async Task ResumesFromStartAsync(ServerScene scene)
    {
        var first = await scene.OpenAsync();
        await first.AskAsync("q-1", ScriptedAnswers.ShortQuestion);
        await scene.Answers.AnswerShortAsync("q-1");
        await first.UntilAsync("done", "q-1");
        var socket = await scene.OpenAsync($"epoch={first.Log.Epoch}&after=0");
        await ReplayAsync(socket, 0);
        Check.Equal(first.Log.Last, socket.Log.Last, "the position after the replay");
        Check.Equal(first.Log.TextOf("q-1"), socket.Log.TextOf("q-1"), "the replayed text");
        await socket.ExpectNothingAsync();
    }

    private static async Task RewindsAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        await scene.Answers.BeginAsync(socket, "q-1", deltas: 2);
        await socket.ResumeAsync(0);
        await ReplayAsync(socket, 0);
        await scene.Answers.FinishAsync("q-1");
        await socket.UntilAsync("done", "q-1");
    }

    private static async Task RefusesPositionBeyondAsync(ServerScene scene)
    {
        var first = await scene.OpenAsync();
        await scene.Answers.BeginAsync(first, "q-1", deltas: 2);
        var socket = await scene.OpenAsync($"epoch={first.Log.Epoch}&after={Beyond}");
        await ExpectNotRecoveredAsync(socket, "trimmed", first.Log.Epoch);
        await socket.ExpectAtOnceAsync("snapshot", "q-1");
        await scene.Answers.FinishAsync("q-1");
        await socket.UntilAsync("done", "q-1");
    }

    private static async Task RefusesOtherEpochAsync(ServerScene scene)
    {
        var first = await scene.OpenAsync();
        await first.AskAsync("q-1", ScriptedAnswers.ShortQuestion);
        await scene.Answers.AnswerShortAsync("q-1");
        await first.UntilAsync("done", "q-1");
        var socket = await scene.OpenAsync("epoch=unknown&after=2");
        await ExpectNotRecoveredAsync(socket, "epoch_changed", first.Log.Epoch);
        var snapshot = await socket.ExpectAtOnceAsync("snapshot", "q-1");
        Check.Equal("completed", snapshot.Text("status"), "the status of the last question");
        await socket.ExpectNothingAsync();
        await first.SendAsync("""{"type":"resume","epoch":"unknown","after_seq":1}""");
        await ExpectNotRecoveredAsync(first, "epoch_changed", first.Log.Epoch);
        await first.ExpectAtOnceAsync("snapshot", "q-1");
        await first.ExpectNothingAsync();
    }

    private static async Task RefusesExpiredAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync("epoch=e1&after=7");
        var resumed = await socket.ExpectAsync("resumed");
        Check.Equal("False expired", $"{resumed.Flag("recovered")} {resumed.Text("reason")}", "recovered and reason");
        await socket.ExpectNothingAsync();
    }

    /// <summary>Takes a replay: all events after the position, each marked, then 'resumed'. Returns the text that was replayed.</summary>
    private static async Task<string> ReplayAsync(WireSocket socket, long after)
    {
        var (next, text) = (after + 1, "");
        while (true)
        {
            var frame = await socket.NextAsync("the replay, then 'resumed'");
            if (frame.Type == "resumed")
            {
                Check.Equal(true, frame.Flag("recovered"), "recovered");
                Check.Equal(next - 1, frame.Number("to_seq"), "to_seq, after what was replayed");
                return text;
            }

            if (frame.Flag("replay") != true)
            {
                // What was sent before the server read 'resume' will be replayed.
                continue;
            }

            Check.Equal(next, frame.Number("from_seq") ?? frame.Number("seq"), "the next number of the replay");
            next = frame.Number("seq")!.Value + 1;
            text += frame.Type == "delta" ? frame.Text("text") : "";
        }
    }

    private static async Task ExpectNotRecoveredAsync(WireSocket socket, string reason, string epoch)
    {
        var resumed = await socket.ExpectAsync("resumed");
        Check.Equal($"False {reason} {epoch}", $"{resumed.Flag("recovered")} {resumed.Text("reason")} {resumed.Text("epoch")}", "recovered, reason and epoch");
    }
}
