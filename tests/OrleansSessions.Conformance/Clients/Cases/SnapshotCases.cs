using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Clients.Cases;

/// <summary>Snapshots, and what they take the place of.</summary>
internal static class SnapshotCases
{
    public static IEnumerable<ConformanceCase<ClientScene>> All { get; } =
    [
        new("5.snapshot-parts", "the parts of a snapshot are joined, and deltas continue it", JoinsPartsAsync),
        new("5.snapshot-final", "a final snapshot ends its question", EndsBySnapshotAsync),
        new("5.trimmed", "after 'trimmed' the snapshot takes the place of what was missed",
            scene => NotRecoveredAsync(scene, "trimmed", ServerFrames.Epoch)),
        new("5.epoch-changed", "after 'epoch_changed' numbers begin again", scene => NotRecoveredAsync(scene, "epoch_changed", "e2")),
        new("5.expired", "after 'expired' numbers begin again", scene => NotRecoveredAsync(scene, "expired", "e2")),
        new("5.trimmed-open-socket", "'trimmed' on an open socket: the snapshot takes the place of what was missed", TrimsOnOpenSocketAsync),
        new("5.epoch-changed-open-socket", "a new epoch on an open socket withdraws text of own and of followed questions", ChangesEpochOnOpenSocketAsync),
    ];

    private static async Task JoinsPartsAsync(ClientScene scene)
    {
        await scene.ConnectAsync();
        var socket = await scene.AcceptAsync(ServerFrames.Hello(seq: 9, open: ["other"]));
        await socket.SendAsync(
            ServerFrames.Snapshot(4, "Say ", "other", part: 1, parts: 3, whole: "Say hello to"),
            ServerFrames.Snapshot(4, "hello", "other", part: 2, parts: 3, whole: "Say hello to"),
            ServerFrames.Snapshot(4, " to", "other", part: 3, parts: 3, whole: "Say hello to"), ServerFrames.Delta(10, 4, " all", "other"),
            ServerFrames.Done(11, 5, "Say hello to all", "other"));
        await scene.Lines.EndedAsync("other", "Say hello to all");
        await socket.ExpectNothingAsync(11);
    }

    private static async Task EndsBySnapshotAsync(ClientScene scene)
    {
        (await PositionCases.BeginAsync(scene)).Abort();
        var socket = await PositionCases.ComeBackAsync(scene, ServerFrames.Epoch, 3, ServerFrames.Hello(seq: 2000, resuming: true));
        // What the store says must not be needed.
        scene.Http.Store("q-1", ServerFrames.Stored("answering", 2, "Say hello"));
        await socket.SendAsync(
            ServerFrames.Resumed(2000, reason: "trimmed"), ServerFrames.Snapshot(3, "Say hello to all", status: "cancelled", reason: "by_client"));
        var ended = await scene.Lines.EndedAsync("q-1", "Say hello to all", "cancelled");
        Check.Equal("by_client", ended.Text("reason"), "the reason");
        await socket.ExpectNothingAsync(2000);
    }

    private static async Task NotRecoveredAsync(ClientScene scene, string reason, string epoch)
    {
        (await PositionCases.BeginAsync(scene)).Abort();
        var socket = await PositionCases.ComeBackAsync(scene, ServerFrames.Epoch, 3, ServerFrames.Hello(seq: 1, open: ["q-1"], resuming: true, epoch: epoch));
        await socket.SendAsync(
            ServerFrames.Resumed(1, ["q-1"], reason, epoch), ServerFrames.Snapshot(1, "Say", epoch: epoch), ServerFrames.Delta(2, 1, " again"));
        await scene.Lines.TextAsync("q-1", "Say again");
        Check.That(scene.Lines.Past.Any(line => line.Text("event") == "restarted"), "'restarted', because shown text is withdrawn", "none");
        socket.Abort();
        socket = await PositionCases.ComeBackAsync(scene, epoch, 2, ServerFrames.Hello(seq: 2, open: ["q-1"], resuming: true, epoch: epoch));
        await socket.SendAsync(ServerFrames.Resumed(2, ["q-1"], epoch: epoch), ServerFrames.Done(3, 2, "Say again"));
        await scene.Lines.EndedAsync("q-1", "Say again");
        await socket.ExpectNothingAsync(3);
    }

    private static async Task TrimsOnOpenSocketAsync(ClientScene scene)
    {
        var socket = await PositionCases.BeginAsync(scene);
        await socket.SendAsync(
            ServerFrames.Resumed(2000, ["q-1"], "trimmed"), ServerFrames.Snapshot(4, "Say hello to all"), ServerFrames.Delta(2001, 4, "!"),
            ServerFrames.Done(2002, 5, "Say hello to all!"));
        await scene.Lines.EndedAsync("q-1", "Say hello to all!");
        await socket.ExpectNothingAsync(2002);
        Check.That(scene.Http.Requests.IsEmpty, "no look-up, because the snapshot had all of it", string.Join(", ", scene.Http.Requests));
    }

    private static async Task ChangesEpochOnOpenSocketAsync(ClientScene scene)
    {
        var socket = await PositionCases.BeginAsync(scene);
        await socket.SendAsync(
            ServerFrames.Resumed(1, ["q-1"], "epoch_changed", "e2"), ServerFrames.Snapshot(0, "", status: "recovering", epoch: "e2"),
            ServerFrames.Delta(2, 0, "Hi"), ServerFrames.Done(3, 1, "Hi"));
        await scene.Lines.EndedAsync("q-1", "Hi");
        await socket.SendAsync(ServerFrames.Accepted(4, "other", "What?"), ServerFrames.Delta(5, 0, "A process", "other"));
        await scene.Lines.TextAsync("other", "A process");
        await socket.SendAsync(
            ServerFrames.Resumed(1, ["other"], "epoch_changed", "e3"), ServerFrames.Snapshot(0, "", "other", "recovering", "e3"),
            ServerFrames.Delta(2, 0, "A host", "other"), ServerFrames.Done(3, 1, "A host", "other"));
        await scene.Lines.EndedAsync("other", "A host");
        await socket.ExpectNothingAsync(3);
        socket.Abort();
        await PositionCases.ComeBackAsync(scene, "e3", 3, ServerFrames.Hello(seq: 3, resuming: true, epoch: "e3"));
    }
}
