using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansSessions.Clustering;
using OrleansSessions.Grains.Draining;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Clustering;

/// <summary>One of two silos is told to stop.</summary>
public sealed class SiloDrainTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly GatedStorage _store = new();
    private SessionCluster _cluster = null!;
    private IServiceProvider _leaving = null!;
    private IServiceProvider _staying = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(
            silos: 2,
            configure: options => options.MaxAttempts = 1,
            configureSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, _store));
        _cluster.Responder.Recovery = RecoveryMode.Continue;
        var silos = _cluster.Orleans.Silos.Select(silo => _cluster.Orleans.GetSiloServiceProvider(silo.SiloAddress)).ToList();
        (_staying, _leaving) = (silos[0], silos[1]);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task AnIdleSession_LeavesAtOnce_AndItsNextActivationIsElsewhere()
    {
        var session = On(_leaving, "idle");
        _cluster.Responder.For("why").Send("because").Finish();
        await session.AskAsync("a", "why");
        await Eventually.TrueAsync(async () => (await session.GetQuestionAsync("a"))!.End is not null, "the answer has ended");
        Assert.Equal((1, 0), (Count(_leaving), Count(_staying)));

        await Drain(_leaving, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(0, Count(_leaving));
        Assert.Equal("because", (await On(_leaving, "idle").GetQuestionAsync("a"))!.Text);
        await On(_leaving, "new").AttachAsync("gw");
        Assert.Equal((0, 2), (Count(_leaving), Count(_staying)));
    }

    [Fact]
    public async Task AnOpenQuestion_MayEnd_AndItsSessionLeavesThen()
    {
        var session = On(_leaving, "open");
        var script = _cluster.Responder.For("why").Send("because ");
        await session.AskAsync("a", "why");
        var drained = Drain(_leaving, CancellationToken.None);
        await Eventually.TrueAsync(async () => (await session.GetQuestionAsync("a"))!.Text.Length > 0, "there is some text");
        Assert.False(drained.IsCompleted);

        script.Send("I say so").Finish();
        await drained.WaitAsync(Patience);
        var ended = (await session.GetQuestionAsync("a"))!;
        Assert.Equal(("because I say so", QuestionStatus.Completed, 1), (ended.Text, ended.Status, ended.Attempt));
    }

    [Fact]
    public async Task AnEndThatWaitsForTheStore_IsWrittenWhereItIs_IfTheStoreIsBackInTime()
    {
        // 1. An answer has ended, and that cannot be stored.
        var session = On(_leaving, "open");
        var script = _cluster.Responder.For("why").Send("because ");
        await session.AskAsync("a", "why");
        _store.Fail = true;
        script.Send("I say so").Finish();
        await Eventually.TrueAsync(() => _leaving.GetRequiredService<StoreHealth>().IsAway, "the silo knows that the store is away");
        await Eventually.TrueAsync(() => !Assert.Single(_leaving.GetRequiredService<LocalSessions>().All).HasOpenQuestion, "the answer has ended");

        // 2. Its silo drains.
        var drained = Drain(_leaving, CancellationToken.None);
        await Eventually.TrueAsync(() => _leaving.GetRequiredService<Drain>().IsDraining, "the silo drains");
        _store.Fail = false;
        await drained.WaitAsync(Patience);
        var ended = (await session.GetQuestionAsync("a"))!;
        Assert.Equal(("because I say so", QuestionStatus.Completed, 1, 1), (ended.Text, ended.Status, ended.Attempt, script.Runs));
    }

    [Fact]
    public async Task WhatIsLeftAtTheEnd_GoesOnElsewhereByItself_AndDoesNotCountAsAnAttempt()
    {
        var session = On(_leaving, "open");
        var script = _cluster.Responder.For("why").Send("because ");
        await session.AskAsync("a", "why");
        await session.AskAsync("b", "who", IfBusy.Queue);
        await Eventually.TrueAsync(async () => (await session.GetQuestionAsync("a"))!.Text.Length > 0, "there is some text");

        using var ending = new CancellationTokenSource();
        var drained = Drain(_leaving, ending.Token);
        await ending.CancelAsync();
        await drained.WaitAsync(Patience);

        // No one has called the session since.
        await Eventually.TrueAsync(() => script.Runs == 2, "the responder is asked to continue");
        Assert.Equal((0, 1), (Count(_leaving), Count(_staying)));
        script.Send("I say so").Finish();
        _cluster.Responder.For("who").Send("me").Finish();
        await Eventually.TrueAsync(async () => (await session.GetQuestionAsync("b"))!.End is not null, "both have ended");
        var ended = (await session.GetQuestionAsync("a"))!;
        Assert.Equal(("because I say so", QuestionStatus.Completed, 2), (ended.Text, ended.Status, ended.Attempt));
    }

    [Fact]
    public async Task AQuestionThatWasBeingAskedWhenItsSessionLeft_GoesOnElsewhereByItself()
    {
        // 1. The end of a question is being written, and the next question waits for that.
        var session = On(_leaving, "asking");
        await session.AskAsync("a", "who");
        _store.Close();
        _cluster.Responder.For("who").Send("me").Finish();
        await _store.Blocked.WaitAsync(Patience);
        var asked = session.AskAsync("b", "why");

        // 2. The session looks idle, and is told to leave. The question is accepted before it does.
        await _leaving.GetRequiredService<Drain>().BeginAsync();
        Assert.Single(_leaving.GetRequiredService<LocalSessions>().All).Leave();
        _store.Open();
        Assert.Equal(AskOutcome.Accepted, (await asked.WaitAsync(Patience)).Outcome);
        await Eventually.TrueAsync(() => (Count(_leaving), Count(_staying)) == (0, 1), "another silo has the session");
        await Eventually.TrueAsync(() => _cluster.Responder.For("why").Runs > 0, "its responder runs");
    }

    [Fact]
    public async Task ASession_MovesBetweenSilosThatDrainAtTheSameTime_AndIsServedAllTheSame()
    {
        var session = On(_leaving, "open");
        var script = _cluster.Responder.For("why").Send("because ");
        await session.AskAsync("a", "why");

        // Neither silo has been told of the other's drain, so each takes it for the place to go to.
        await Task.WhenAll(_leaving.GetRequiredService<Drain>().BeginAsync(), _staying.GetRequiredService<Drain>().BeginAsync());
        Assert.Single(_leaving.GetRequiredService<LocalSessions>().All).Leave();

        Assert.Null((await session.GetQuestionAsync("a").WaitAsync(Patience))!.End);
        await Eventually.TrueAsync(() => script.Runs == 2, "the answer goes on");
    }

    private static ISessionGrain On(IServiceProvider silo, string id) => silo.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>("/" + id);

    private static int Count(IServiceProvider silo) => silo.GetRequiredService<LocalSessions>().All.Count();

    private static async Task Drain(IServiceProvider silo, CancellationToken ending)
    {
        await silo.GetRequiredService<Drain>().BeginAsync();
        await silo.GetServices<IDrainStep>().OfType<SiloDrain>().Single().DrainAsync(ending);
    }
}
