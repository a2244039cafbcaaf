using OrleansSessions.Chaos.Checks;
using OrleansSessions.Chaos.Transcripts;
using Xunit;
using static OrleansSessions.Tests.ChaosRuns.Wire;

namespace OrleansSessions.Tests.ChaosRuns;

/// <summary>What a v1 client received is held against the protocol. Each test breaks one line of a clean transcript.</summary>
public sealed class FollowCheckTests
{
    private static readonly ExpectedQuestion Asked = new("q1", Text);
    private static readonly ExpectedQuestion Other = new("q2", OtherText);

    /// <summary>An answer over two connections: six events, the fifth replayed.</summary>
    private static readonly string[] Clean =
    [
        "o /ws/s?v=1",
        Hello(0),
        """> {"type":"question","id":"q1"}""",
        Accepted(1),
        Delta(2, 0, "one"),
        Delta(4, 1, " two three", count: 2),
        """< {"type":"ping","seq":4}""",
        "x broken",
        "o /ws/s?v=1&epoch=e1&after=4",
        Hello(5, resuming: true),
        Delta(5, 3, " vier", replay: true),
        Resumed(5),
        Done(6, 4, 18),
        "x 1000 ",
    ];

    private static readonly string[] AllStored = [Stored("q1", Text, Text)];

    [Fact]
    public void AnAnswerOverTwoConnections_IsClean() => Assert.Empty(Find(Clean));

    [Theory]
    [InlineData(4, "Missing", "the next number is 2")]
    [InlineData(10, "Missing", "what was replayed ends at e1.4")]
    [InlineData(12, "Missing", "never learned")]
    [InlineData(9, "Wrong", "the first frame is no hello")]
    public void AFrameThatIsMissing_IsFound(int line, string kind, string detail) => Finds(kind, detail, [.. Clean[..line], .. Clean[(line + 1)..]]);

    [Theory]
    [InlineData(4, "Duplicated", "the next number is 3")]
    [InlineData(12, "Duplicated", "the next number is 7")]
    public void AFrameThatComesTwice_IsFound(int line, string kind, string detail) => Finds(kind, detail, [.. Clean[..line], Clean[line], .. Clean[line..]]);

    public static TheoryData<int, string, string, string> ChangedLines => new()
    {
        { 4, Delta(2, 0, "two"), "Wrong", "not how the answer begins" },
        { 4, Delta(2, 1, "one"), "Missing", "the next index is 0" },
        { 5, Delta(4, 0, " two three", count: 2), "Duplicated", "the next index is 1" },
        { 5, Delta(4, 1, " two two", count: 2), "Wrong", "not how the answer begins" },
        { 6, """< {"type":"ping","seq":5}""", "Missing", "a ping is ahead" },
        { 6, """< {"type":"error","code":"bad_request","retryable":false}""", "Wrong", "a refusal" },
        { 6, """< {"type":"surprise"}""", "Wrong", "an unknown type" },
        { 7, "x 4100 ", "Wrong", "was closed with 4100" },
        { 9, Hello(5), "Wrong", "hello.resuming differs" },
        { 11, Resumed(4), "Wrong", "what was replayed ends at e1.5" },
        { 11, Resumed(5, recovered: false, reason: "trimmed"), "Missing", "are gone" },
        { 11, Resumed(0, recovered: false, reason: "expired", epoch: "e2"), "Missing", "are gone" },
        { 12, Done(6, 3, 18), "Wrong", "4 deltas with 18 bytes" },
        { 12, Done(6, 4, 17), "Wrong", "4 deltas with 18 bytes" },
        { 12, Done(6, 4, 18, status: "cancelled", reason: "by_client"), "Wrong", "ended as cancelled" },
        { 12, Done(6, 4, 18, status: "failed", reason: "responder_error"), "Wrong", "ended as failed" },
        { 12, Done(6, 4, 18, id: "q9"), "Wrong", "was not asked" },
    };

    [Theory]
    [MemberData(nameof(ChangedLines))]
    public void AFrameThatDiffers_IsFound(int line, string instead, string kind, string detail) =>
        Finds(kind, detail, [.. Clean[..line], instead, .. Clean[(line + 1)..]]);

    [Fact]
    public void ASecondDone_IsFound() => Finds("Duplicated", "a second done", [.. Clean[..13], Done(7, 4, 18)]);

    [Fact]
    public void TextAfterTheEnd_IsFound() => Finds("Duplicated", "text after the end", [.. Clean[..13], Delta(7, 4, " more")]);

    [Fact]
    public void AnAnswerThatEndsTooSoon_IsFound() =>
        Finds("Wrong", "is not the expected text", ["o /ws/s?v=1", Hello(0), Accepted(1), Delta(2, 0, "one"), Done(3, 1, 3)]);

    [Fact]
    public void ANewEpoch_WithTheSavedText_IsClean()
    {
        string[] lines =
        [
            .. Clean[..6], Resumed(1, recovered: false, reason: "epoch_changed", open: Open("q1", "recovering"), epoch: "e2"), Snapshot("one two", 2, 7),
            Delta(2, 2, " three"), Delta(3, 3, " vier"), Done(4, 4, 18),
        ];
        Assert.Empty(Find(lines));
        Finds("Missing", "the next index is 0", [.. lines[..7], .. lines[8..]]);
        Finds("Wrong", "a snapshot that is not", [.. lines[..7], Snapshot("one three", 2, 9), .. lines[8..]]);
        Finds("Wrong", "a snapshot that is not", [.. lines[..7], Snapshot("one two", 2, 8), .. lines[8..]]);
        Finds("Missing", "the next part is 1", [.. lines[..7], Snapshot("one two", 2, 7, part: 2, parts: 2), .. lines[8..]]);
    }

    [Fact]
    public void APositionAheadOfTheLog_IsSentBack_AndTheSameEventsFollow()
    {
        string[] lines =
        [
            .. Clean[..9], Hello(2, resuming: true), Resumed(2, recovered: false, reason: "trimmed", open: Open("q1", "answering")),
            Delta(4, 1, " two three", count: 2), Delta(5, 3, " vier"), Done(6, 4, 18),
        ];
        Assert.Empty(Find(lines));
        Finds("Duplicated", "the next index is 1", [.. lines[..11], Delta(4, 0, "one two", count: 2), .. lines[12..]]);
    }

    [Fact]
    public void AQuestionThatIsAskedAgain_IsToldAhead_AndItsEventsFollow()
    {
        string[] lines =
        [
            .. Clean[..5], Accepted(1, duplicate: true), Snapshot("one two three", 3, 13), Delta(4, 1, " two three", count: 2), Delta(5, 3, " vier"), Done(6, 4, 18),
        ];
        Assert.Empty(Find(lines));
        Assert.Empty(Find([.. Clean[..13], Accepted(1, duplicate: true), Snapshot(Text, 4, 18, status: "completed"), Done(6, 4, 18, replay: true)]));
        Finds("Wrong", "ended as completed", [.. Clean[..13], Accepted(1, duplicate: true), Done(6, 4, 18, status: "failed", reason: "responder_lost", replay: true)]);
    }

    [Theory]
    [InlineData("delta", "text after 'cancelling'")]
    [InlineData("completed", "another end after 'cancelling'")]
    [InlineData("cancelled", null)]
    public void AfterACancel_OnlyItsDone(string next, string? detail)
    {
        var asked = Asked with { MayBeCancelled = true };
        string[] cancelled = [.. Clean[..6], """< {"type":"cancelling","question_id":"q1"}"""];
        var (frame, stored) = next switch
        {
            "delta" => (Delta(5, 3, " vier"), Stored("q1", Text, Text)),
            "completed" => (Done(5, 3, 13), Stored("q1", Text, "one two three")),
            _ => (Done(5, 3, 13, status: "cancelled", reason: "by_client"), Stored("q1", Text, "one two three", "cancelled", "by_client")),
        };
        var found = Check(Round([asked], [stored], Transcript(ClientKind.V1, isAsker: true, [.. cancelled, frame])));
        Assert.Equal(detail is null, found.Count == 0);
        Assert.True(detail is null || found.Any(finding => finding.Contains(detail, StringComparison.Ordinal)), string.Join('\n', found));
    }

    [Fact]
    public void ACancelThatWasConfirmedOverHttp_IsTheEnd()
    {
        var asked = Asked with { MayBeCancelled = true };
        var cancel = Transcript(
            ClientKind.Http, isAsker: false, "? node 1 POST /v1/sessions/s/questions/q1/cancel", """! 202 {"question_id":"q1","state":"cancelling"}""");
        var found = Check(Round([asked], AllStored, Transcript(ClientKind.V1, isAsker: true, Clean), cancel));
        Assert.Contains(found, finding => finding.Contains("after its cancel was confirmed", StringComparison.Ordinal));
    }

    [Fact]
    public void TwoQuestionsThatRunAtOnce_AreFound()
    {
        string[] start = ["o /ws/s?v=1", Hello(0), Accepted(1), Delta(2, 0, "one")];
        string[] stored = [.. AllStored, Stored("q2", OtherText, OtherText)];
        string[] queued =
        [
            .. start, Accepted(3, "q2", position: 1), Delta(4, 1, " two three vier"), Done(5, 2, 18), Delta(6, 0, OtherText, "q2"), Done(7, 1, 8, "q2"),
        ];
        Assert.Empty(Check(Round([Asked, Other], stored, Transcript(ClientKind.V1, isAsker: true, queued))));

        string[] both = [.. start, Accepted(3, "q2"), Delta(4, 1, " two three vier"), Done(5, 2, 18), Delta(6, 0, OtherText, "q2"), Done(7, 1, 8, "q2")];
        Assert.Contains(Check(Round([Asked, Other], stored, Transcript(ClientKind.V1, isAsker: true, both))), found => found.Contains("q2 runs from event 3"));

        string[] mixed = [.. start, Accepted(3, "q2", position: 1), Delta(4, 0, OtherText, "q2"), Delta(5, 1, " two three vier"), Done(6, 2, 18), Done(7, 1, 8, "q2")];
        Assert.Contains(
            Check(Round([Asked, Other], stored, Transcript(ClientKind.V1, isAsker: true, mixed))), found => found.Contains("is text of q2, while q1 runs"));

        string[] open = ["o /ws/s?v=1", Hello(4, open: $"{Open("q1", "answering")},{Open("q2", "answering")}")];
        Assert.Contains(
            Check(Round([Asked, Other], stored, Transcript(ClientKind.V1, isAsker: false, open))), found => found.Contains("not exactly one open question runs"));
    }

    [Fact]
    public void TwoClientsThatSawDifferentEvents_AreFound()
    {
        string[] follower = ["o /ws/s?v=1", Hello(0), Accepted(1), Delta(2, 0, "one"), Delta(3, 1, " two three vier"), Done(4, 2, 18)];
        Assert.Contains(
            Check(Round([Asked], AllStored, Transcript(ClientKind.V1, isAsker: true, Clean), Transcript(ClientKind.V1, isAsker: false, follower))),
            found => found.StartsWith("Duplicated: q1 has two 'done'", StringComparison.Ordinal));
    }

    [Fact]
    public void AnEventStream_ResumesByItsIds()
    {
        static string WithId(string line, string id) => line.Insert(2, id + " ");
        string[] lines =
        [
            "o ", WithId(Hello(0), "e1.0"), WithId(Accepted(1), "e1.1"), WithId(Delta(2, 0, "one"), "e1.2"), "x broken", "o e1.2", Hello(3, resuming: true),
            WithId(Delta(3, 1, " two three vier", replay: true), "e1.3"), WithId(Resumed(3), "e1.3"), WithId(Done(4, 2, 18), "e1.4"),
        ];
        Assert.Empty(Check(Round([Asked], AllStored, Transcript(ClientKind.Stream, isAsker: true, lines))));

        string[] wrongId = [.. lines[..3], WithId(Delta(2, 0, "one"), "e1.3"), .. lines[4..]];
        Assert.Contains(
            Check(Round([Asked], AllStored, Transcript(ClientKind.Stream, isAsker: true, wrongId))), found => found.Contains("the id of the event is 'e1.3'"));

        string[] hole = [.. lines[..7], .. lines[8..]];
        Assert.Contains(Check(Round([Asked], AllStored, Transcript(ClientKind.Stream, isAsker: true, hole))), found => found.StartsWith("Missing"));
    }

    private static IReadOnlyList<string> Find(string[] lines) => Check(Round([Asked], AllStored, Transcript(ClientKind.V1, isAsker: true, lines)));

    private static void Finds(string kind, string detail, string[] lines) => Assert.Contains(
        Find(lines), finding => finding.StartsWith(kind + ":", StringComparison.Ordinal) && finding.Contains(detail, StringComparison.Ordinal));
}
