using OrleansSessions.Chaos.Checks;
using OrleansSessions.Chaos.Transcripts;
using Xunit;
using static OrleansSessions.Tests.ChaosRuns.Wire;

namespace OrleansSessions.Tests.ChaosRuns;

/// <summary>What is stored at the end, and what a basic client received, is held against what was asked.</summary>
public sealed class StoredCheckTests
{
    private const string Ask = """> {"question":"one two three vier","id":"q1"}""";
    private const string Answer = """< {"type":"response","data":"one two three vier","question_id":"q1","status":"completed"}""";
    private const string Busy = """< {"type":"error","code":"session_busy","retryable":true,"question_id":"q1"}""";

    private static readonly ExpectedQuestion Asked = new("q1", Text);
    private static readonly string[] AllStored = [Stored("q1", Text, Text)];

    public static TheoryData<string, string[]?, string> StoredCases => new()
    {
        { "clean", AllStored, "" },
        { "never read", null, "Stuck: The stored questions could not be read" },
        { "missing", [], "Missing: q1 was accepted" },
        { "twice", [.. AllStored, Stored("q7", Text, Text)], "Duplicated: q7 is stored twice" },
        { "same id twice", [.. AllStored, .. AllStored], "Duplicated: q1 is stored twice" },
        { "not asked", [.. AllStored, Stored("q7", "why", "why")], "Wrong: q7 is stored" },
        { "other text", [Stored("q1", Text, "one two")], "Wrong: q1 ended as completed" },
        { "open", ["""{"question_id":"q1","question":"one two three vier","state":"answering","text":"one"}"""], "Stuck: q1 is still answering" },
        { "other end", [Stored("q1", Text, Text, "failed", "responder_lost")], "Wrong: q1 ended as completed" },
    };

    [Theory]
    [MemberData(nameof(StoredCases))]
    public void WhatIsStored(string name, string[]? stored, string finding)
    {
        var found = Check(Round([Asked], stored, Transcript(ClientKind.Basic, isAsker: true, "o /ws/s", Ask, Answer)));
        Assert.True(finding.Length == 0 ? found.Count == 0 : found.Any(one => one.StartsWith(finding, StringComparison.Ordinal)), $"{name}: {string.Join('\n', found)}");
    }

    public static TheoryData<string, string[], string> BasicCases => new()
    {
        { "refused, then asked again", ["o /ws/s", Ask, Busy, Ask, Answer], "" },
        { "not attached, then asked again", ["o /ws/s", """< {"type":"error","code":"internal","retryable":true}""", "x 1011 ", "o /ws/s", Ask, Answer], "" },
        { "asked again on another socket", ["o /ws/s", Ask, "x broken", "o /ws/s", Ask, Answer], "" },
        { "answered twice", ["o /ws/s", Ask, Answer, Answer], "Duplicated: asker got a frame that answers nothing" },
        { "answered unasked", ["o /ws/s", Answer], "Wrong: asker got a frame that answers nothing" },
        { "another text", ["o /ws/s", Ask, Answer.Replace("three", "free", StringComparison.Ordinal)], "Wrong: The answer of q1" },
        { "too short", ["o /ws/s", Ask, Answer.Replace(" vier", "", StringComparison.Ordinal)], "Wrong: The answer of q1" },
        { "wrong type", ["o /ws/s", Ask, Answer.Replace("response", "error", StringComparison.Ordinal)], "Wrong: asker got the wrong type" },
        { "refused for good", ["o /ws/s", Ask, Busy.Replace("true", "false", StringComparison.Ordinal)], "Wrong: asker got a refusal" },
        { "closed for good", ["o /ws/s", Ask, Answer, "x 1008 policy"], "Wrong: asker was closed with 1008" },
    };

    [Theory]
    [MemberData(nameof(BasicCases))]
    public void WhatABasicClientGets(string name, string[] lines, string finding)
    {
        var found = Check(Round([Asked], AllStored, Transcript(ClientKind.Basic, isAsker: true, lines)));
        Assert.True(finding.Length == 0 ? found.Count == 0 : found.Any(one => one.StartsWith(finding, StringComparison.Ordinal)), $"{name}: {string.Join('\n', found)}");
    }

    [Fact]
    public void AQuestionWithoutAnId_GetsOneFromTheServer()
    {
        var asked = new ExpectedQuestion(null, Text, MayBeReplaced: true);
        string[] lines = ["o /ws/s", Ask, Answer.Replace("q1", "q-77", StringComparison.Ordinal)];
        Assert.Empty(Check(Round([asked], [Stored("q-77", Text, Text)], Transcript(ClientKind.Basic, isAsker: true, lines))));
        Assert.NotEmpty(Check(Round([asked], [], Transcript(ClientKind.Basic, isAsker: true, lines))));
    }

    [Theory]
    [InlineData("""202 {"question_id":"q1","state":"accepted","position":0,"epoch":"e1","seq":1}""", true)]
    [InlineData("""202 {"question_id":"q1","state":"accepted","position":0,"epoch":"e2","seq":2}""", false)]
    [InlineData("""200 {"question_id":"q1","state":"answering","position":0,"epoch":"e2","accepted_seq":1}""", true)]
    public void AQuestionThatIsAskedTwice_IsAcceptedOnce(string second, bool isClean)
    {
        const string Request = "? node 1 POST /v1/sessions/s/questions";
        var found = Check(Round([Asked], AllStored, Transcript(
            ClientKind.Http, isAsker: false,
            [Request, """! 202 {"question_id":"q1","state":"accepted","position":0,"epoch":"e1","seq":1}""", Request, "! " + second])));
        Assert.Equal(isClean, found.Count == 0);
        Assert.All(found, finding => Assert.StartsWith("Duplicated: q1 has two 'accepted'", finding));
    }

    [Fact]
    public void AnEndThatNothingExplains_IsWrong()
    {
        static IReadOnlyList<string> Ended(ExpectedQuestion question, string status, string? reason) => Check(Round(
            [question], [Stored("q1", Text, "one", status, reason)], Transcript(ClientKind.Http, isAsker: false, [])));

        Assert.Empty(Ended(Asked with { MayBeCancelled = true }, "cancelled", "by_client"));
        Assert.Empty(Ended(Asked with { MayBeReplaced = true }, "cancelled", "replaced"));
        Assert.Empty(Ended(Asked, "failed", "responder_lost"));
        Assert.NotEmpty(Ended(Asked, "cancelled", "by_client"));
        Assert.NotEmpty(Ended(Asked, "cancelled", "replaced"));
        Assert.NotEmpty(Ended(Asked, "timeout", "timeout_total"));
    }
}
