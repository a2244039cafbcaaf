using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class StoredSessionTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly GatedStorage _store = new();
    private SessionCluster _cluster = null!;

    private ISessionGrain Session => _cluster.Session("s");

    public async ValueTask InitializeAsync() => _cluster = await SessionCluster.StartAsync(
        configureSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, _store));

    public async ValueTask DisposeAsync()
    {
        _store.Open();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Accepted_LeavesOnlyAfterItsWrite_AndTheResponderIsAskedAfterItToo()
    {
        _store.Close();
        var asking = AskAsync("a");
        await _store.Blocked.WaitAsync(Patience);

        Assert.False(asking.IsCompleted);
        Assert.Equal(0, _cluster.Responder.For("a").Runs);

        _store.Open();
        Assert.Equal(AskOutcome.Accepted, (await asking.WaitAsync(Patience)).Outcome);
        await _cluster.Responder.For("a").Started.WaitAsync(Patience);
    }

    [Fact]
    public async Task Done_LeavesOnlyAfterItsWrite_AndTheSessionIsBusyUntilThen()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        await Session.AttachAsync(gateway.Id);
        var script = _cluster.Responder.For("a").Send("text");
        await AskAsync("a");
        await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Delta);

        _store.Close();
        script.Finish();
        await _store.Blocked.WaitAsync(Patience);
        Assert.False(await Session.CanAcceptQuestionAsync());
        var next = AskAsync("b");
        Assert.False(next.IsCompleted);
        _store.Open();

        var events = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);
        Assert.Equal(3, events[^1].Seq);
        Assert.Equal((AskOutcome.Accepted, 4L), ((await next.WaitAsync(Patience)).Outcome, (await next).Seq));
    }

    [Fact]
    public async Task AnEndThatComesDuringAnotherWrite_IsWrittenAfterIt_AndTheNextQuestionStartsAfterBoth()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        await Session.AttachAsync(gateway.Id);
        var script = _cluster.Responder.For("a");
        await AskAsync("a");
        await script.Started.WaitAsync(Patience);

        _store.Close();
        var next = Session.AskAsync("b", "b", IfBusy.Queue);
        await _store.Blocked.WaitAsync(Patience);
        script.Send("text").Finish();
        var first = _cluster.Responder.For("b").Send("more");
        await Task.WhenAny(first.Started, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System));
        Assert.Equal(0, first.Runs);
        _store.Open();

        var events = await gateway.EventsUntilAsync(logged => logged is { Kind: LogEventKind.Delta, QuestionId: "b" });
        Assert.Equal(AskOutcome.Accepted, (await next.WaitAsync(Patience)).Outcome);
        Assert.Equal(["a", "b", "a", "a", "b"], events.Select(logged => logged.QuestionId));
        Assert.Equal(Enumerable.Range(1, 5).Select(seq => (long)seq), events.Select(logged => logged.Seq));
    }

    [Fact]
    public async Task AcceptedThatCannotBeWritten_IsAFaultForItsAsker_AndTheSessionGoesOn()
    {
        _store.Fail = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => AskAsync("a"));
        Assert.Null(await Session.GetQuestionAsync("a"));
        _store.Fail = false;
        await _cluster.StoreIsAsync(isAway: false);

        Assert.Equal((AskOutcome.Accepted, 1L), ((await AskAsync("b")).Outcome, (await AskAsync("b")).Seq));
        Assert.Null(await Session.GetQuestionAsync("a"));
        Assert.Equal(AskOutcome.Busy, (await AskAsync("a")).Outcome);
    }

    [Fact]
    public async Task WhileTheStoreIsAway_AnAskIsRefusedAtOnce_WithoutTouchingIt()
    {
        _store.Fail = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => AskAsync("a"));

        // The probe is stopped at the gate, so nothing else reaches the store either.
        _store.Close();
        await _store.Blocked.WaitAsync(Patience);
        var writes = _store.Writes;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => AskAsync("b"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.RemoveAsync());
        Assert.False(await Session.CanAcceptQuestionAsync());

        Assert.Equal(writes, _store.Writes);
    }

    [Fact]
    public async Task AStoreThatHangs_IsAway_AndIsBackOnceItAnswers()
    {
        await Session.AttachAsync("g");
        _store.Close();
        var asking = AskAsync("a");
        await _store.Blocked.WaitAsync(Patience);
        _cluster.Clock.Advance(TimeSpan.FromSeconds(3));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => asking.WaitAsync(Patience));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => AskAsync("b").WaitAsync(Patience));
        _store.Open();
        await _cluster.StoreIsAsync(isAway: false);
        Assert.Equal(AskOutcome.Accepted, (await AskAsync("b").WaitAsync(Patience)).Outcome);
    }

    [Fact]
    public async Task I2_DoneThatCannotBeWritten_IsWrittenOnceTheStoreIsBack()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        var script = _cluster.Responder.For("a");
        await Session.AskAsync("a", "a", gateway: gateway.Id);
        _store.Fail = true;
        script.Send("text").Finish();
        await UntilItFailsAsync(times: 5);
        _store.Fail = false;
        _cluster.Clock.Advance(TimeSpan.FromSeconds(3));

        var events = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);
        Assert.Equal(QuestionStatus.Completed, events[^1].End!.Status);
        Assert.Single(events, logged => logged.Kind == LogEventKind.Done);
        Assert.Equal(1, script.Runs);
    }

    [Fact]
    public async Task ACancelThatCannotBeWritten_StopsTheResponderAtOnce_AndIsWrittenOnceTheStoreIsBack_AndNoOneIsAskedAgain()
    {
        var script = _cluster.Responder.For("a").Send("text");
        await AskAsync("a");
        await script.Started.WaitAsync(Patience);
        _store.Fail = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.CancelAsync("a"));
        await script.Cancelled.WaitAsync(Patience);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.GetQuestionAsync("a"));
        _store.Fail = false;

        await Eventually.TrueAsync(EndedAsync, "a has ended");
        Assert.Equal((QuestionStatus.Cancelled, 1), ((await Session.GetQuestionAsync("a"))!.Status, script.Runs));

        async Task<bool> EndedAsync()
        {
            try
            {
                return (await Session.GetQuestionAsync("a"))!.End is not null;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        }
    }

    [Theory]
    [InlineData(IfBusy.Queue)]
    [InlineData(IfBusy.Replace)]
    public async Task AQuestionThatCannotBeWritten_BesideOneThatRuns_LeavesNoTrace_AndThatOneGoesOn(IfBusy ifBusy)
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        var script = _cluster.Responder.For("a").Send("one ");
        await Session.AskAsync("a", "a", gateway: gateway.Id);
        var events = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Delta);
        _store.Fail = true;

        // Once when no one knows of the outage yet, and once when it is known.
        for (var i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.AskAsync("b", "b", ifBusy));
            script.Send($"more{i} ");
            events.AddRange(await gateway.EventsUntilAsync(logged => logged.Text == $"more{i} "));
        }

        Assert.Null(await Session.GetQuestionAsync("b"));
        Assert.Equal(QuestionStatus.Answering, (await Session.GetQuestionAsync("a"))!.Status);
        _store.Fail = false;
        await _cluster.StoreIsAsync(isAway: false);
        Assert.Equal(AskOutcome.Accepted, (await Session.AskAsync("b", "b", IfBusy.Queue)).Outcome);
        script.Finish();
        _cluster.Responder.For("b").Finish();

        events.AddRange(await gateway.EventsUntilAsync(logged => logged is { Kind: LogEventKind.Done, QuestionId: "b" }));
        Assert.Equal(Enumerable.Range(1, 7).Select(seq => (long)seq), events.Select(logged => logged.Seq));
        Assert.Equal(["a", "a", "a", "a", "b", "a", "b"], events.Select(logged => logged.QuestionId));
        Assert.Equal(1, script.Runs);
    }

    [Fact]
    public async Task WhatEndsWhileTheStoreIsAway_IsDoneOnceItIsBack_AndTextIsVisibleMeanwhile()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        var script = _cluster.Responder.For("a").Send("one ");
        await Session.AskAsync("a", "a", gateway: gateway.Id);
        await Session.AskAsync("b", "b", IfBusy.Queue);
        var events = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Delta);
        _store.Fail = true;

        // The end of a question that waits has a number before this text, but no one has seen it.
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.CancelAsync("b"));
        script.Send("two ");
        events.AddRange(await gateway.EventsUntilAsync(logged => logged.Text == "two "));
        script.Send("three").Finish();
        events.AddRange(await gateway.EventsUntilAsync(logged => logged.Text == "three"));
        Assert.DoesNotContain(events, logged => logged.Kind == LogEventKind.Done);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.AttachAsync(gateway.Id));
        _store.Fail = false;

        events.AddRange(await gateway.EventsUntilAsync(logged => logged is { Kind: LogEventKind.Done, QuestionId: "a" }));
        Assert.Equal(Enumerable.Range(1, 7).Select(seq => (long)seq), events.Select(logged => logged.Seq));
        Assert.Equal(["b", "a"], events.Where(logged => logged.Kind == LogEventKind.Done).Select(logged => logged.QuestionId));
        await _cluster.HibernateAsync();
        Assert.Equal("one two three", (await Session.GetQuestionAsync("a"))!.Text);
        Assert.Equal(QuestionStatus.Cancelled, (await Session.GetQuestionAsync("b"))!.Status);
    }

    [Fact]
    public async Task AStoredSession_IsTheSameAfterItsSleep()
    {
        _cluster.Responder.For("a").Send("one ").Send("two").Finish();
        await AskAsync("a");
        await Eventually.TrueAsync(async () => (await Session.GetQuestionAsync("a"))!.End is not null, "a has ended");
        var before = (await Session.GetQuestionAsync("a"))!;

        await _cluster.HibernateAsync();

        Assert.Equal(before, await Session.GetQuestionAsync("a"));
    }

    [Fact]
    public async Task Remove_LeavesNothingInTheStore()
    {
        await AskAsync("a");
        Assert.NotEmpty(_store.Keys);

        await Session.RemoveAsync();

        Assert.Empty(_store.Keys);
        Assert.Null(await Session.GetQuestionAsync("a"));
    }

    [Fact]
    public async Task ARemovalThatCannotBeWritten_IsAFault_AndTheSessionStays()
    {
        _cluster.Responder.For("a").Send("text").Finish();
        await AskAsync("a");
        await Eventually.TrueAsync(async () => (await Session.GetQuestionAsync("a"))!.End is not null, "a has ended");
        _store.Fail = true;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.RemoveAsync());
        _store.Fail = false;
        await _cluster.StoreIsAsync(isAway: false);

        await Eventually.TrueAsync(async () => await Session.GetQuestionAsync("a") is { Text: "text" }, "the next activation has what the store has");
        Assert.True(await Session.RemoveAsync());
        Assert.Empty(_store.Keys);
    }

    [Fact]
    public async Task ASessionThatWasNeverAsked_IsNotStored()
    {
        await Session.AttachAsync("g");
        await Session.DescribeAsync();
        await _cluster.HibernateAsync();

        Assert.Empty(_store.Keys);
    }

    private Task UntilItFailsAsync(int times) => Eventually.TrueAsync(
        () =>
        {
            _cluster.Clock.Advance(TimeSpan.FromSeconds(3));
            return _store.Failures >= times;
        },
        $"the write was tried {times} times");

    private Task<AskReply> AskAsync(string id) => Session.AskAsync(id, id);
}
