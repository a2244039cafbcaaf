using OrleansSessions.Conformance.Cases;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Clients.Cases;

/// <summary>Numbers, gaps and replays.</summary>
internal static class PositionCases
{
    public static IEnumerable<ConformanceCase<ClientScene>> All { get; } =
    [
        new("1.unknown-frames", "a frame of an unknown type is ignored but counted, and so are unknown fields", CountsUnknownFramesAsync),
        new("4.run", "a frame with several deltas counts as all of them", TakesRunsAsync),
        new("12.drop", "after a drop in mid-answer the client comes back with epoch and after, and shows nothing twice", ComesBackAsync),
        new("12.drop-in-replay", "after a drop during the replay the client comes back from the last event that it applied", ComesBackFromReplayAsync),
        new("12.repeated", "a number that is not above the position is dropped", DropsRepeatedAsync),
        new("12.gap", "a gap leads to 'resume' from the position, and live frames are ignored until 'resumed'", RewindsAsync),
        new("12.run-overlap", "a run that begins at or before the position is not applied, but rewound", RewindsForOverlapAsync),
        new("12.three-rewinds", "after three rewinds without a new event the client closes and connects without a position", GivesUpRewindingAsync),
        new("12.ping", "a ping is answered by a pong with its number", AnswersPingAsync),
        new("12.ping-ahead", "a ping ahead of the position leads to 'resume', once", RewindsForPingAsync),
        new("12.counts", "a done whose counts do not match leads to a look-up before the question ends", LooksUpForCountsAsync),
        new("12.bytes", "a done whose bytes do not match leads to a look-up before the question ends", LooksUpForBytesAsync),
        new("12.delta-ahead", "a delta beyond the next index leads to a look-up", LooksUpForIndexAsync),
        new("12.delta-behind", "a delta whose text a snapshot contained already does nothing", IgnoresOldIndexAsync),
        new("12.unreadable", "a question that ended but cannot be read is reported as unreadable, after several tries", ReportsUnreadableAsync),
    ];

    /// <summary>Asks, and shows "Say hello" at position 3.</summary>
    public static async Task<ScriptedSocket> BeginAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(ServerFrames.Accepted(1), ServerFrames.Delta(2, 0, "Say"), ServerFrames.Delta(3, 1, " hello"));
        await scene.Lines.TextAsync("q-1", "Say hello");
        return socket;
    }

    public static async Task<ScriptedSocket> ComeBackAsync(ClientScene scene, string epoch, long after, string hello)
    {
        var attempt = await scene.AttemptAsync();
        Check.Equal(epoch, attempt.Epoch, "the epoch of the client that comes back");
        Check.Equal($"{after}", attempt.After, "the position of the client that comes back");
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(hello);
        return socket;
    }

    private static async Task ExpectResumeAsync(ScriptedSocket socket, long after, string epoch = ServerFrames.Epoch)
    {
        var resume = await socket.ExpectAsync("resume");
        Check.Equal(epoch, resume.Text("epoch"), "the epoch of 'resume'");
        Check.Equal(after, resume.Number("after_seq"), "after_seq of 'resume'");
    }

    private static async Task CountsUnknownFramesAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(
            ServerFrames.Accepted(1), """{"type":"weather","sky":"clear"}""", """{"type":"status","seq":2,"question_id":"q-1","doing":"thinking"}""",
            """{"type":"delta","seq":3,"question_id":"q-1","index":0,"text":"Say","mood":{"seq":9,"deep":[1,2]}}""",
            """{"type":"part","seq":5,"from_seq":4,"question_id":"q-1"}""", ServerFrames.Delta(6, 1, " hello"), ServerFrames.Done(7, 2, "Say hello"));
        await scene.Lines.EndedAsync("q-1", "Say hello");
        await socket.ExpectNothingAsync(7);
    }

    private static async Task TakesRunsAsync(ClientScene scene)
    {
        var socket = await scene.AskLiveAsync();
        await socket.SendAsync(
            ServerFrames.Accepted(1), ServerFrames.Delta(4, 0, "Say hello to", count: 3), ServerFrames.Delta(5, 3, " all"),
            ServerFrames.Done(6, 4, "Say hello to all"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all");
        await socket.ExpectNothingAsync(6);
        Check.That(scene.Http.Requests.IsEmpty, "no look-up, because the counts match", string.Join(", ", scene.Http.Requests));
    }

    private static async Task ComesBackAsync(ClientScene scene)
    {
        (await BeginAsync(scene)).Abort();
        var socket = await ComeBackAsync(scene, ServerFrames.Epoch, 3, ServerFrames.Hello(seq: 5, open: ["q-1"], resuming: true));
        await socket.SendAsync(
            ServerFrames.Delta(4, 2, " to", replay: true), ServerFrames.Delta(5, 3, " all", replay: true), ServerFrames.Resumed(5, ["q-1"]),
            ServerFrames.Delta(6, 4, "!"), ServerFrames.Done(7, 5, "Say hello to all!"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all!");
        Check.That(!scene.Lines.Past.Any(line => line.Text("event") == "restarted"), "no 'restarted', because no text is withdrawn", "one");
        await socket.ExpectNothingAsync(7);
    }

    private static async Task ComesBackFromReplayAsync(ClientScene scene)
    {
        (await BeginAsync(scene)).Abort();
        var socket = await ComeBackAsync(scene, ServerFrames.Epoch, 3, ServerFrames.Hello(seq: 5, open: ["q-1"], resuming: true));
        await socket.SendAsync(ServerFrames.Delta(4, 2, " to", replay: true));
        await scene.Lines.TextAsync("q-1", "Say hello to");
        socket.Abort();
        socket = await ComeBackAsync(scene, ServerFrames.Epoch, 4, ServerFrames.Hello(seq: 6, resuming: true));
        await socket.SendAsync(
            ServerFrames.Delta(5, 3, " all", replay: true), ServerFrames.Done(6, 4, "Say hello to all", replay: true), ServerFrames.Resumed(6));
        await scene.Lines.EndedAsync("q-1", "Say hello to all");
        await socket.ExpectNothingAsync(6);
    }

    private static async Task DropsRepeatedAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await socket.SendAsync(
            ServerFrames.Delta(3, 1, " hello"), ServerFrames.Delta(2, 0, "Say"), ServerFrames.Delta(4, 2, "."), ServerFrames.Delta(4, 2, "."),
            ServerFrames.Done(5, 3, "Say hello."));
        await scene.Lines.EndedAsync("q-1", "Say hello.");
        await socket.ExpectNothingAsync(5);
    }

    private static async Task RewindsAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await socket.SendAsync(ServerFrames.Delta(5, 3, " all"));
        await ExpectResumeAsync(socket, 3);
        await socket.SendAsync(
            ServerFrames.Delta(6, 4, "!"), ServerFrames.Delta(4, 2, " to", replay: true), ServerFrames.Delta(5, 3, " all", replay: true),
            ServerFrames.Delta(6, 4, "!", replay: true), ServerFrames.Resumed(6, ["q-1"]), ServerFrames.Done(7, 5, "Say hello to all!"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all!");
        await socket.ExpectNothingAsync(7);
        Check.That(scene.Http.Requests.IsEmpty, "no look-up, because the replay is complete", string.Join(", ", scene.Http.Requests));
    }

    private static async Task RewindsForOverlapAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await socket.SendAsync(ServerFrames.Delta(5, 1, " hello to all", count: 3));
        await ExpectResumeAsync(socket, 3);
        await socket.SendAsync(
            ServerFrames.Delta(5, 2, " to all", count: 2, replay: true), ServerFrames.Resumed(5, ["q-1"]), ServerFrames.Done(6, 4, "Say hello to all"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all");
        await socket.ExpectNothingAsync(6);
    }

    private static async Task GivesUpRewindingAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        for (var i = 0; i < 3; i++)
        {
            await socket.SendAsync(ServerFrames.Delta(5, 3, " all"));
            await ExpectResumeAsync(socket, 3);
            await socket.SendAsync(ServerFrames.Resumed(3, ["q-1"]));
        }

        await socket.SendAsync(ServerFrames.Delta(5, 3, " all"));
        await socket.EndAsync();
        var attempt = await scene.AttemptAsync();
        Check.Equal(null, attempt.Epoch ?? attempt.After, "the position after three rewinds in vain");
        socket = await attempt.OpenAsync();
        await socket.SendAsync(
            ServerFrames.Hello(seq: 5, open: ["q-1"]), ServerFrames.Snapshot(4, "Say hello to all"), ServerFrames.Done(6, 4, "Say hello to all"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all");
        await socket.ExpectNothingAsync(6);
    }

    private static async Task AnswersPingAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await socket.SendAsync("""{"type":"ping","seq":3}""");
        Check.Equal(3, (await socket.ExpectAsync("pong")).Number("seq"), "the number of the pong");
        await socket.ExpectNothingAsync(2);
    }

    private static async Task RewindsForPingAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await socket.SendAsync("""{"type":"ping","seq":5}""");
        await ExpectResumeAsync(socket, 3);
        // While it is being replayed, another ping that is ahead says nothing new.
        await socket.ExpectNothingAsync(5);
        await socket.SendAsync(
            ServerFrames.Delta(4, 2, " to", replay: true), ServerFrames.Delta(5, 3, " all", replay: true), ServerFrames.Resumed(5, ["q-1"]),
            ServerFrames.Done(6, 4, "Say hello to all"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all");
        await socket.ExpectNothingAsync(6);
    }

    private static async Task LooksUpForCountsAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        scene.Http.Store("q-1", ServerFrames.Stored("completed", 4, "Say hello to all"));
        await socket.SendAsync(ServerFrames.Done(4, 4, "Say hello to all"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all");
    }

    private static async Task LooksUpForBytesAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        scene.Http.Store("q-1", ServerFrames.Stored("completed", 2, "Say h\u00E9llo"));
        await socket.SendAsync(ServerFrames.Done(4, 2, "Say h\u00E9llo"));
        await scene.Lines.EndedAsync("q-1", "Say h\u00E9llo");
    }

    private static async Task LooksUpForIndexAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        scene.Http.Store("q-1", ServerFrames.Stored("answering", 4, "Say hello to all"));
        // The numbers are in order, so there is nothing to rewind.
        await socket.SendAsync(ServerFrames.Delta(4, 3, " all"));
        await scene.Lines.TextAsync("q-1", "Say hello to all");
        await socket.SendAsync(ServerFrames.Delta(5, 4, "!"), ServerFrames.Done(6, 5, "Say hello to all!"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all!");
        await socket.ExpectNothingAsync(6);
    }

    private static async Task IgnoresOldIndexAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        await socket.SendAsync(
            ServerFrames.Snapshot(4, "Say hello to all"), ServerFrames.Delta(4, 2, " to"), ServerFrames.Delta(5, 3, " all"), ServerFrames.Delta(6, 4, "!"),
            ServerFrames.Done(7, 5, "Say hello to all!"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all!");
        await socket.ExpectNothingAsync(7);
        Check.That(scene.Http.Requests.IsEmpty, "no look-up, because the snapshot had all of it", string.Join(", ", scene.Http.Requests));
    }

    private static async Task ReportsUnreadableAsync(ClientScene scene)
    {
        var socket = await BeginAsync(scene);
        scene.Http.Store("q-1", Refusal.Of(WireErrors.Internal));
        await socket.SendAsync(ServerFrames.Done(4, 4, "Say hello to all"));
        await scene.Lines.UntilAsync("unreadable", "q-1");
        Check.That(scene.Http.Requests.Count > 1, "several tries", string.Join(", ", scene.Http.Requests));
        await socket.ExpectNothingAsync(4);
    }
}
