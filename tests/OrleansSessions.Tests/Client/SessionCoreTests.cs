using System.Text.Json.Nodes;
using OrleansSessions.Client;
using OrleansSessions.Client.Questions;
using OrleansSessions.Client.Sessions;
using OrleansSessions.Protocol;
using Xunit;

namespace OrleansSessions.Tests.Client;

/// <summary>What conformance cases cannot see: those who follow all questions, what the client itself refuses, and cancels whose answer is lost.</summary>
public sealed class SessionCoreTests
{
    private const string Cancelled = """{"type":"cancel","question_id":"q-1"}""";
    private readonly CoreBed _bed = new();

    [Fact]
    public void Follower_IsToldOfOpenQuestionsFirst_AndOfOthersAsTheyCome()
    {
        _bed.Hello(seq: 4, open: "q-1").Receive(
            """{"type":"snapshot","epoch":"e1","question_id":"q-1","text":"one ","question":"What?","deltas":1,"status":"answering"}""");
        var all = new UpdateWords(_bed.FollowAll());

        _bed.Delta(5, 1, "two").Done(6, 2, "one two").Accepted(7, "q-2").Done(8, 0, "", "q-2");

        Assert.Equal("accepted 'one two' ended accepted ended", all.Read());
    }

    [Fact]
    public void EndedQuestion_WhoseEventsAreRepeated_IsNotToldAgain_UnlikeANewOneWithItsId()
    {
        var all = new UpdateWords(_bed.FollowAll());
        _bed.Hello().Accepted(1).Done(2, 0, "");
        Assert.Equal("accepted ended", all.Read());

        _bed.Receive(
            """{"type":"done","seq":2,"question_id":"q-1","status":"completed","deltas":0,"bytes":0,"replay":true}""",
            """{"type":"resumed","recovered":false,"reason":"trimmed","epoch":"e1","to_seq":9,"open":[]}""",
            """{"type":"snapshot","epoch":"e1","question_id":"q-1","text":"","deltas":0,"bytes":0,"status":"completed"}""");
        Assert.Equal("", all.Read());
        _bed.Accepted(10);

        Assert.Equal("accepted", all.Read());
        Assert.Empty(_bed.Reads);
    }

    [Theory]
    [InlineData("e1", 12, "accepted 'old' ended")]
    [InlineData("e1", 7, "")]
    [InlineData("e2", 5, "accepted 'old' ended")]
    [InlineData("e2", 1, "")]
    public void LastQuestion_AfterAGap_IsToldToThoseWhoFollowAll_UnlessItCanHaveEndedBeforeTheClientConnected(string epoch, long seq, string told)
    {
        var all = new UpdateWords(_bed.Hello(seq: 9).FollowAll());
        _bed.Core.Disconnected();

        Return(epoch, seq);

        Assert.Equal(told, all.Read());
    }

    [Fact]
    public void LastQuestion_AfterAGap_ThatIsNotTheLastOneThatTheClientKnows_IsTold()
    {
        _bed.Hello().Accepted(1, "q-0").Done(2, 0, "", "q-0");
        var all = new UpdateWords(_bed.FollowAll());

        Return("e2", 1);

        Assert.Equal("accepted 'old' ended", all.Read());
    }

    [Fact]
    public void EndedQuestion_ThatOneReaderAskedFor_IsNotToldToThoseWhoFollowAll()
    {
        var all = new UpdateWords(_bed.FollowAll());
        var one = new UpdateWords(_bed.Hello(seq: 9).Resume(CoreBed.Stored("", "e1", 0, hasEnded: false).Position));

        SessionCore.OnRead(Assert.Single(_bed.Reads), CoreBed.Stored("one", "e1", 1, hasEnded: true));

        Assert.Equal("accepted 'one' ended", one.Read());
        Assert.Equal("", all.Read());
        Assert.Empty(_bed.Core.Questions.Open);
    }

    [Fact]
    public async Task Follower_WhoLeavesTooManyQuestionsUnread_IsToldSo()
    {
        await using var reader = _bed.FollowAll();
        _bed.Hello();
        for (var number = 0; number <= SessionReader.MaxUnreadQuestions; number++)
        {
            _bed.Accepted((2 * number) + 1, $"q-{number}").Done((2 * number) + 2, 0, "", $"q-{number}");
        }

        var read = 0;
        var fault = await Assert.ThrowsAsync<SessionException>(async () =>
        {
            while (await reader.MoveNextAsync())
            {
                read++;
            }
        });

        Assert.Equal(("reader_too_slow", 2 * SessionReader.MaxUnreadQuestions), (fault.Code, read));
    }

    [Fact]
    public async Task Stop_EndsEverything_AndCloseIsNoFaultForThoseWhoFollowAll()
    {
        var (all, answer, cancel) = (new UpdateWords(_bed.FollowAll()), _bed.Hello().Ask(), _bed.Core.CancelAsync("q-1"));

        _bed.Core.Stop(new(SessionStopReason.Closed, "Closed."));

        Assert.Equal(SessionStopReason.Closed, (await Assert.ThrowsAsync<SessionStoppedException>(() => answer.WholeAsync())).Reason);
        Assert.IsType<SessionStoppedException>(await cancel);
        Assert.Equal(SessionStoppedException.StoppedCode, all.Read());
        await Assert.ThrowsAsync<SessionStoppedException>(() => _bed.Ask(id: "q-2").WholeAsync());
    }

    [Fact]
    public async Task Question_LargerThanAMessage_IsRefusedHere_BecauseTheServerWouldCloseTheSocket()
    {
        var answer = _bed.Hello(messageBytes: 100).Ask(new string('x', 100));

        Assert.Equal("message_too_large", (await Assert.ThrowsAsync<SessionRefusedException>(() => answer.WholeAsync())).Code);
        Assert.Empty(_bed.Sent);
    }

    [Fact]
    public async Task QuestionId_InUseForAnotherText_IsRefused_AndTheSameTextIsTheSameQuestion()
    {
        var (first, other, same) = (_bed.Hello().Ask("One?"), _bed.Ask("Two?"), _bed.Ask("One?"));
        _bed.Accepted(1).Done(2, 0, "");

        Assert.Equal("question_conflict", (await Assert.ThrowsAsync<SessionRefusedException>(() => other.WholeAsync())).Code);
        Assert.Equal(await first, await same);
    }

    [Fact]
    public void RateLimit_OfARewind_LeavesTheConnection_BecauseNothingComesWithoutIt()
    {
        _bed.Hello().Receive("""{"type":"ping","seq":5}""");
        Assert.Contains("resume", _bed.Sent[^1], StringComparison.Ordinal);

        _bed.Receive("""{"type":"error","message":"Slow down.","code":"rate_limited","retryable":true,"retry_after_ms":500}""");

        Assert.Equal(1, _bed.Leaves);
    }

    [Fact]
    public async Task AcceptedQuestion_ThatIsAskedAgain_IsNotSentAgain_SoNoRefusalCanEndIt()
    {
        var first = _bed.Hello().Ask();
        _bed.Accepted(1);
        var again = _bed.Ask();
        _bed.Receive("""{"type":"error","message":"Slow down.","code":"rate_limited","retryable":true,"question_id":"q-1"}""");
        _bed.Delta(2, 0, "one").Done(3, 1, "one");

        Assert.Single(_bed.Sent);
        Assert.Equal(("one", "one"), ((await first).Text, (await again).Text));
    }

    [Fact]
    public void RateLimit_OfAMessageThatTheServerDidNotRead_LeavesTheConnection_AndTheNextOneSendsItAgain()
    {
        _bed.Hello().Ask();

        _bed.Receive("""{"type":"error","message":"Slow down.","code":"rate_limited","retryable":true,"retry_after_ms":500}""");
        Assert.Equal(1, _bed.Leaves);
        _bed.Core.Disconnected();
        _bed.Hello();

        Assert.Equal(2, _bed.Sent.Count);
        Assert.Equal(_bed.Sent[0], _bed.Sent[1]);
    }

    [Fact]
    public async Task LookUp_ThatBeganBeforeTheSessionCameBack_IsRepeated_IfItSaysThatTheQuestionIsOpen()
    {
        var answer = _bed.Hello().Ask();
        _bed.Accepted(1).Delta(2, 1, "two");
        var read = Assert.Single(_bed.Reads);
        _bed.Core.Disconnected();
        _bed.Hello("e2");

        Assert.False(SessionCore.OnRead(read, CoreBed.Stored("one two", "e1", 2, hasEnded: false)), "It is an old state.");
        Assert.True(SessionCore.OnRead(read, CoreBed.Stored("one two", "e1", 2, hasEnded: true)), "It is the end.");

        Assert.Equal("one two", (await answer).Text);
    }

    [Fact]
    public async Task CancelWithoutId_WhoseAnswerIsLost_NamesTheQuestionThatRanThen()
    {
        _bed.Hello().Accepted(1);
        var cancel = _bed.Core.CancelAsync(null);
        Assert.Equal("""{"type":"cancel"}""", _bed.Sent[^1]);
        _bed.Core.Disconnected();

        _bed.Hello(seq: 1, open: ["q-1", "q-2"]);

        Assert.Equal(Cancelled, _bed.Sent[^1]);
        _bed.Receive("""{"type":"cancelling","question_id":"q-1"}""");
        Assert.Null(await cancel);
    }

    [Fact]
    public async Task CancelWithoutId_InANewEpoch_NamesTheQuestionThatTheServerListsFirst()
    {
        _bed.Hello(seq: 7).Accepted(8);
        _bed.Receive(
            """{"type":"resumed","recovered":false,"epoch":"e2","to_seq":1,"open":[{"question_id":"q-1"},{"question_id":"q-2"}]}""");
        _bed.Accepted(2, "q-0");
        var cancel = _bed.Core.CancelAsync(null);
        _bed.Core.Disconnected();

        _bed.Hello("e2", seq: 2, open: ["q-1", "q-2", "q-0"]);

        Assert.Equal(Cancelled, _bed.Sent[^1]);
        _bed.Receive("""{"type":"cancelling","question_id":"q-1"}""");
        Assert.Null(await cancel);
    }

    [Fact]
    public async Task CancelWithoutId_OfAQuestionThatIsNotAcceptedYet_IsForThatQuestion_AfterALostConnectionToo()
    {
        _ = _bed.Hello().Ask();
        var cancel = _bed.Core.CancelAsync(null);
        _bed.Core.Disconnected();

        _bed.Hello(open: "q-9");

        Assert.Equal(Cancelled, _bed.Sent[^1]);
        _bed.Receive("""{"type":"cancelling","question_id":"q-1"}""");
        Assert.Null(await cancel);
    }

    [Fact]
    public async Task CancelWithoutId_WhileNothingWasKnownToRun_IsNotSentTwice()
    {
        var cancel = _bed.Hello().Core.CancelAsync(null);
        _bed.Core.Disconnected();

        _bed.Hello(open: "q-2");

        Assert.Equal("no_open_question", (await cancel as SessionRefusedException)?.Code);
        Assert.Single(_bed.Sent);
    }

    [Theory]
    [InlineData("q-1", ",\"question_id\":\"q-1\"")]
    [InlineData(null, "")]
    public async Task Cancel_ThatTheServerRefuses_IsOver_WhateverTheCode(string? id, string about)
    {
        _bed.Hello().Accepted(1);
        var cancel = _bed.Core.CancelAsync(id);
        _bed.Receive($$"""{"type":"error","message":"Later.","code":"draining","retryable":true{{about}}}""");
        Assert.False(cancel.IsCompleted, "The socket is closed, and the next one asks again.");

        _bed.Receive($$"""{"type":"error","message":"Later.","code":"store_unavailable","retryable":true{{about}}}""");

        Assert.True(cancel.IsCompleted, "The server has answered.");
        Assert.Equal("store_unavailable", (await cancel as SessionRefusedException)?.Code);
    }

    [Theory]
    [InlineData("q-1")]
    [InlineData(null)]
    public async Task Cancel_OfAQuestionThatWasNotSent_EndsItHere_AndTheServerNeverHasIt(string? id)
    {
        var answer = _bed.Ask();

        Assert.Null(await _bed.Core.CancelAsync(id));
        _bed.Hello();

        Assert.Equal("ended", new UpdateWords(answer).Read());
        Assert.Equal((QuestionStatus.Cancelled, "by_client"), ((await answer).Status, (await answer).Reason));
        Assert.Empty(_bed.Sent);
    }

    [Fact]
    public void Cancel_OfAQuestionThatTheServerCanHave_IsSentDirectlyAfterIt()
    {
        _bed.Hello().Ask();
        _bed.Core.Disconnected();
        _bed.Ask(id: "q-2");
        _ = _bed.Core.CancelAsync("q-1");

        _bed.Hello();

        Assert.Equal(["q-1", "cancel", "q-2"], _bed.Sent.Skip(1).Select(frame => (string?)JsonNode.Parse(frame)!["id"] ?? "cancel"));
    }

    [Fact]
    public async Task Cancel_OfAQuestionThatHasEnded_IsTaken()
    {
        _bed.Hello().Accepted(1).Done(2, 0, "");
        var cancel = _bed.Core.CancelAsync("q-1");

        _bed.Receive("""{"type":"done","seq":2,"question_id":"q-1","status":"completed","deltas":0,"bytes":0,"replay":true}""");

        Assert.Null(await cancel);
    }

    [Fact]
    public void Questions_ThatWaitForAConnection_AreSentInTheOrderInWhichTheyWereAsked()
    {
        _bed.Hello().Accepted(1, "a").Accepted(2, "b").Done(3, 0, "", "a").Done(4, 0, "", "b");
        _bed.Core.Disconnected();
        string[] ids = ["q-1", "q-2", "q-3"];
        foreach (var id in ids)
        {
            _bed.Ask(id: id);
        }

        _bed.Hello(seq: 4);

        Assert.Equal(ids, _bed.Sent.Select(frame => (string?)JsonNode.Parse(frame)!["id"]));
    }

    [Fact]
    public void TooManyQuestions_ThatTheServerHasNotAccepted_AreRefused()
    {
        for (var number = 0; number < SessionCore.MaxUnaccepted; number++)
        {
            Assert.Null(_bed.Core.Ask($"q-{number}", "What?", []).Fault);
        }

        Assert.Equal("too_many_questions", _bed.Core.Ask("q-x", "What?", []).Fault?.Code);
    }

    private void Return(string epoch, long seq) => _bed.Receive(
        $$"""{"type":"hello","epoch":"{{epoch}}","seq":{{seq}},"resuming":true,"open":[]}""",
        $$"""{"type":"resumed","recovered":false,"reason":"trimmed","epoch":"{{epoch}}","to_seq":{{seq}},"open":[]}""",
        $$"""{"type":"snapshot","epoch":"{{epoch}}","question_id":"q-1","text":"old","deltas":1,"bytes":3,"status":"completed"}""");
}
