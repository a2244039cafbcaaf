using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Gateways;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class SessionGrainTests(SessionGrainTests.Fixture fixture) : IClassFixture<SessionGrainTests.Fixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly SessionCluster _cluster = fixture.Cluster;
    private readonly string _id = $"s-{Guid.NewGuid():n}";

    private ISessionGrain Session => _cluster.Session(_id);

    [Fact]
    public async Task Ask_IsAnsweredThroughTheStream_FromAcceptedToDone()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        var attached = await Session.AttachAsync(gateway.Id);
        _cluster.Responder.For(_id).Send("Hello ").Send("world").Finish();

        var reply = await AskAsync("a", gateway.Id);
        var events = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);

        Assert.Equal((AskOutcome.Accepted, attached.Seq + 1), (reply.Outcome, reply.Seq));
        Assert.Equal(Enumerable.Range(1, events.Count).Select(seq => (long)seq), events.Select(logged => logged.Seq));
        Assert.Equal("Hello world", string.Concat(events.Where(logged => logged.Kind == LogEventKind.Delta).Select(delta => delta.Text)));
        Assert.Equal(QuestionStatus.Completed, events[^1].End!.Status);
    }

    [Fact]
    public async Task QuestionsThatReplaceEachOtherFasterThanRespondersLetGo_AreAllAsked()
    {
        for (var i = 0; i < 40; i++)
        {
            await Session.AskAsync($"q{i}", $"{_id} {i}", IfBusy.Replace);
        }

        _cluster.Responder.For($"{_id} 39").Send("last").Finish();
        var last = await Session.WaitForEndAsync("q39", Patience);

        Assert.Equal((QuestionStatus.Completed, "last"), (last!.Status, last.Text));
    }

    [Fact]
    public async Task ASocketGatewayThatWasGivenUp_AndIsBack_GetsTheNextAnswer()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        await Session.AttachAsync(gateway.Id);
        foreach (var silo in _cluster.Orleans.Silos)
        {
            var outboxes = _cluster.Orleans.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<SocketGatewayOutboxes>();
            outboxes.Close(outboxes.Get(gateway.Id));
        }

        _cluster.Responder.For(_id).Send("Hello").Finish();
        await AskAsync("a", gateway.Id);

        var events = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);
        Assert.Equal([1L, 2L, 3L], events.Select(logged => logged.Seq));
    }

    [Fact]
    public async Task Ask_WhileAnotherIsOpen_IsBusyWhoeverAsks()
    {
        _cluster.Responder.For(_id).Send("x");
        await AskAsync("a");
        Assert.False(await Session.CanAcceptQuestionAsync());

        Assert.Equal(AskOutcome.Busy, (await AskAsync("b")).Outcome);

        await Session.CancelAsync();
        Assert.True(await Session.CanAcceptQuestionAsync());
    }

    [Fact]
    public async Task I8_Cancel_ReachesTheResponder()
    {
        var script = _cluster.Responder.For(_id).Send("x");
        await AskAsync("a");
        await script.Started.WaitAsync(Patience);

        Assert.Equal(CancelOutcome.Cancelling, (await Session.CancelAsync("a")).Outcome);

        await script.Cancelled.WaitAsync(Patience);
        await script.Stopped.WaitAsync(Patience);
        Assert.Equal(QuestionStatus.Cancelled, (await Session.GetQuestionAsync("a"))!.Status);
    }

    [Fact]
    public async Task I8_ADisconnect_CancelsNothing()
    {
        var script = _cluster.Responder.For(_id);
        await Session.AttachAsync("gone");
        await Session.AskAsync("a", _id, gateway: "gone", connection: "c");
        await Session.DetachAsync("gone", "c", version: 2);

        script.Send("still here").Finish();

        Assert.Equal("still here", (await EndOfAsync("a")).Text);
    }

    [Fact]
    public async Task AResponderThatThrows_EndsItsQuestionWithTheReason()
    {
        _cluster.Responder.For(_id).Send("x").Fail(
            new ResponderException(DoneReasons.ResponderUnavailable, "not there", true) { RetryAfter = TimeSpan.FromSeconds(20) });
        await AskAsync("a");

        var end = (await EndOfAsync("a")).End!;

        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderUnavailable, "not there", true), (end.Status, end.Reason, end.Message, end.IsRetryable));
        Assert.Equal(20_000, end.RetryAfterMs);
    }

    [Fact]
    public async Task AResponderThatThrowsAnything_EndsItsQuestionWithoutItsSecrets()
    {
        _cluster.Responder.For(_id).Fail(new InvalidOperationException("password=hunter2"));
        await AskAsync("a");

        var end = (await EndOfAsync("a")).End!;

        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderError), (end.Status, end.Reason));
        Assert.DoesNotContain("hunter2", end.Message);
    }

    [Fact]
    public async Task AResponderThatIgnoresItsToken_HoldsUpNobody()
    {
        var script = _cluster.Responder.For(_id);
        script.IgnoresCancellation = true;
        await AskAsync("a");
        await script.Started.WaitAsync(Patience);

        await Session.CancelAsync("a");
        script.Send("after its end");
        await script.Stopped.WaitAsync(Patience);

        Assert.Equal(("", QuestionStatus.Cancelled), ((await Session.GetQuestionAsync("a"))!.Text, (await Session.GetQuestionAsync("a"))!.Status));
        _cluster.Responder.For(_id + "2").Send("next").Finish();
        Assert.Equal(AskOutcome.Accepted, (await Session.AskAsync("b", _id + "2")).Outcome);
        Assert.Equal("next", (await EndOfAsync("b")).Text);
    }

    [Fact]
    public async Task RespondersThatNeverLetGo_AreBounded()
    {
        for (var i = 0; i < 5; i++)
        {
            var script = _cluster.Responder.For($"{_id}{i}");
            script.IgnoresCancellation = true;
            await Session.AskAsync($"q{i}", $"{_id}{i}", IfBusy.Replace);
            if (i < 4)
            {
                await script.Started.WaitAsync(Patience);
            }
        }

        var end = (await EndOfAsync("q4")).End!;

        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderUnavailable), (end.Status, end.Reason));
        Assert.Equal(0, _cluster.Responder.For($"{_id}4").Runs);
        for (var i = 0; i < 4; i++)
        {
            _cluster.Responder.For($"{_id}{i}").Send("let go");
        }
    }

    [Theory]
    [InlineData(false, DoneReasons.TimeoutFirstDelta)]
    [InlineData(true, DoneReasons.TimeoutIdle)]
    public async Task I5_ASilentResponder_IsEndedByItsTimer(bool hasSpoken, string reason)
    {
        var script = _cluster.Responder.For(_id);
        await AskAsync("a");
        await script.Started.WaitAsync(Patience);
        if (hasSpoken)
        {
            script.Send("x");
            await Eventually.TrueAsync(async () => (await Session.GetQuestionAsync("a"))!.Deltas == 1, "the first delta is in the log");
        }

        var question = await EndOfAsync("a", () => _cluster.Clock.Advance(TimeSpan.FromSeconds(30)));

        Assert.Equal((QuestionStatus.Timeout, reason), (question.Status, question.End!.Reason));
        await script.Cancelled.WaitAsync(Patience);
    }

    [Fact]
    public async Task Hibernation_KeepsEpochNumbersHistoryAndIds()
    {
        _cluster.Responder.For(_id).Send("one ").Send("two").Finish();
        await AskAsync("a");
        await EndOfAsync("a");
        var before = (await Session.DescribeAsync())!;

        await _cluster.HibernateAsync();

        var after = (await Session.DescribeAsync())!;
        Assert.Equal((before.Epoch, before.Seq), (after.Epoch, after.Seq));
        Assert.Equal(AskOutcome.Duplicate, (await AskAsync("a")).Outcome);
        var log = await Session.ReadLogAsync(before.Epoch, before.OldestSeq - 1);
        Assert.Equal(LogReadOutcome.Recovered, log.Outcome);
        Assert.Equal("one two", string.Concat(log.Events.Where(logged => logged.Kind == LogEventKind.Delta).Select(delta => delta.Text)));
        var second = _cluster.Responder.For(_id + "next").Finish();
        await Session.AskAsync("b", _id + "next");
        Assert.Equal("one two", Assert.Single((await second.Started.WaitAsync(Patience)).History).Answer);
    }

    [Fact]
    public async Task ASessionWithAnOpenQuestion_IsNeverPutToSleep()
    {
        var script = _cluster.Responder.For(_id).Send("x");
        await AskAsync("a");
        await script.Started.WaitAsync(Patience);
        var before = (await Session.DescribeAsync())!.Epoch;

        _cluster.Clock.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(before, (await Session.DescribeAsync())!.Epoch);
        script.Finish();

        Assert.Equal(QuestionStatus.Completed, (await EndOfAsync("a")).Status);
    }

    [Fact]
    public async Task Waking_IsAnnouncedToTheOtherSocketGateways()
    {
        await using var sleeper = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        await using var caller = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        _cluster.Responder.For(_id).Send("x").Finish();
        await AskAsync("a", sleeper.Id);
        await EndOfAsync("a");
        await _cluster.HibernateAsync();

        await Session.AttachAsync(caller.Id);

        GatewayItem awake;
        do
        {
            awake = await sleeper.NextAsync(GatewayItemKind.Awake);
        }
        while (awake.SessionKey != "/" + _id);
        Assert.Equal(3, awake.Seq);
    }

    [Fact]
    public async Task Remove_EndsWhatIsOpen_TellsTheSocketGateways_AndFreesTheIdUnderANewEpoch()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        var before = await Session.AttachAsync(gateway.Id);
        var script = _cluster.Responder.For(_id);
        await AskAsync("a", gateway.Id);
        await script.Started.WaitAsync(Patience);

        Assert.True(await Session.RemoveAsync());

        var done = (await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done))[^1];
        Assert.Equal((QuestionStatus.Cancelled, DoneReasons.SessionRemoved), (done.End!.Status, done.End.Reason));
        Assert.Equal(before.Epoch, (await gateway.NextAsync(GatewayItemKind.Removed)).Epoch);
        await script.Cancelled.WaitAsync(Patience);
        Assert.Null(await Session.DescribeAsync());
        Assert.False(await Session.RemoveAsync());
        Assert.True((await Session.AttachAsync(gateway.Id, version: 3)).Epoch > before.Epoch);
    }

    [Fact]
    public async Task Describe_OfAnUnknownSession_IsNullAndCreatesNothing()
    {
        Assert.Null(await Session.DescribeAsync());
        Assert.Null(await Session.GetQuestionAsync("a"));
        Assert.Empty(await Session.ListQuestionsAsync(10));
    }

    [Fact]
    public async Task AReaderAtTheHead_IsRegisteredInTheSameTurn()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        var script = _cluster.Responder.For(_id).Send("early");
        await AskAsync("a");
        await Eventually.TrueAsync(async () => (await Session.GetQuestionAsync("a"))!.Deltas == 1, "the first delta is in the log");
        var epoch = (await Session.DescribeAsync())!.Epoch;

        var read = await Session.ReadLogAsync(epoch, 0, gateway.Id);
        script.Send("late").Finish();
        var live = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);

        Assert.True(read.IsAtHead);
        Assert.Equal(Enumerable.Range(1, read.Events.Length + live.Count).Select(seq => (long)seq), read.Events.Concat(live).Select(logged => logged.Seq));
    }

    [Fact]
    public async Task WaitForEnd_ReturnsWhenItsPatienceEnds_AndHoldsUpNobody()
    {
        var script = _cluster.Responder.For(_id);
        await AskAsync("a");
        await script.Started.WaitAsync(Patience);

        var waiting = Session.WaitForEndAsync("a", TimeSpan.FromSeconds(2));
        Assert.NotNull(await Session.DescribeAsync());
        Assert.False(waiting.IsCompleted);
        script.Send("x").Finish();

        Assert.Equal(QuestionStatus.Completed, (await waiting.WaitAsync(Patience))!.Status);
    }

    private Task<AskReply> AskAsync(string questionId, string? gateway = null) =>
        Session.AskAsync(questionId, _id, gateway: gateway, connection: gateway is null ? null : "c");

    private async Task<QuestionDescription> EndOfAsync(string questionId, Action? meanwhile = null)
    {
        QuestionDescription? question = null;
        await Eventually.TrueAsync(
            async () =>
            {
                meanwhile?.Invoke();
                question = await Session.GetQuestionAsync(questionId);
                return question?.End is not null;
            },
            $"question {questionId} of {_id} has ended");
        return question!;
    }

    public sealed class Fixture : IAsyncLifetime
    {
        public SessionCluster Cluster { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Cluster = await SessionCluster.StartAsync();

        public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();
    }
}
