using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;
using OrleansSessions.Gateways;
using OrleansSessions.Log;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Faults;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Faults;

/// <summary>
/// How long a loss lasts, by the clocks that decide it. Each test moves a clock by exactly the time that the failure table promises, and never again: what is
/// not repaired then is not repaired at all.
/// </summary>
public sealed class RepairTimeTests(StandingClusterFixture cluster) : IClassFixture<StandingClusterFixture>, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly SocketGatewayOptions Defaults = new();

    private readonly string _session = GatewayFixture.NewSession();

    public void Dispose() => cluster.Queue.Fates = ItemFates.None;

    [Fact]
    public async Task AnItemThatIsLost_IsReadAtTheNextItem_AndNoTimePasses()
    {
        await using var asker = await ConnectAsync(cluster.Left);
        await using var follower = await ConnectAsync(cluster.Right);
        cluster.Queue.Fates = ItemFates.Drop(static item => item.Item.Events is [{ Kind: LogEventKind.Accepted }, ..]);
        var lost = Lost(GatewayItemKind.Events);
        var question = await asker.AskAsync(_session);
        await Eventually.TrueAsync(() => Lost(GatewayItemKind.Events) == lost + 2, "both socket gateways lost the first item");

        cluster.Cluster.Responder.For(_session).Send("text").Finish();

        await asker.PumpUntilDoneAsync(question);
        await DoneAsync(follower, question.Id);
    }

    [Fact]
    public async Task TheLastItemBeforeASilence_IsReadAtTheNextHeartbeat()
    {
        await using var asker = await ConnectAsync(cluster.Left);
        await using var follower = await ConnectAsync(cluster.Right);
        cluster.Queue.Fates = ItemFates.Drop(static item => item.Item.Events is [.., { Kind: LogEventKind.Done }]);
        var lost = Lost(GatewayItemKind.Events);
        var question = await AnsweredAsync(asker);
        await Eventually.TrueAsync(() => Lost(GatewayItemKind.Events) == lost + 2, "both socket gateways lost the last item");

        await cluster.BeatAsync();

        await asker.PumpUntilDoneAsync(question);
        await DoneAsync(follower, question.Id);
    }

    [Fact]
    public async Task EveryItemLost_EachPieceIsReadWithinTheQuietTimeout_AsLongAsItLasts()
    {
        await using var asker = await ConnectAsync(cluster.Left);
        await using var follower = await ConnectAsync(cluster.Right);
        cluster.Queue.Fates = ItemFates.Drop(static _ => true);
        var script = cluster.Cluster.Responder.For(_session);
        var question = await asker.AskAsync(_session);
        var followers = cluster.Left.Sockets.Services.GetRequiredService<FollowerRegistry>();
        for (var piece = 1; piece <= 4; piece++)
        {
            var length = piece;
            script.Send("x");
            await Eventually.TrueAsync(
                async () => (await Session.GetQuestionAsync(question.Id))?.Text.Length == length, "the piece is in the log");
            await Eventually.TrueAsync(
                () => followers.TryFind("/" + _session, out var followed) && followed is { IsWaiting: true, QuietRounds: 0 },
                "the socket gateway knows that it waits, and has dealt with the piece before");
            cluster.Left.Pass(Defaults.QuietSessionTimeout + Tick);
            await asker.PumpUntilAsync(() => question.Answer.Length == length, $"piece {length}");
        }

        // One that waits for nothing learns of it when the queue works again.
        script.Finish();
        await Session.WaitForEndAsync(question.Id, Patience);
        cluster.Queue.Fates = ItemFates.None;
        await cluster.BeatAsync();
        await DoneAsync(follower, question.Id);
    }

    [Fact]
    public async Task ASessionThatWakes_AndCannotSayIt_IsFollowedAtTheNextHeartbeat()
    {
        await using var asker = await ConnectAsync(cluster.Left);
        await using var sleeper = await ConnectAsync(cluster.Right);
        var first = await AnsweredAsync(asker);
        await asker.PumpUntilDoneAsync(first);
        await DoneAsync(sleeper, first.Id);
        await cluster.Cluster.HibernateAsync();
        cluster.Queue.Fates = ItemFates.Drop(static item => item.Kind == GatewayItemKind.Awake);
        var lost = Lost(GatewayItemKind.Awake);
        var second = await AnsweredAsync(asker, "again " + _session);
        await asker.PumpUntilDoneAsync(second);
        Assert.True(Lost(GatewayItemKind.Awake) > lost);

        await cluster.BeatAsync();

        await DoneAsync(sleeper, second.Id);
        Assert.Null(sleeper.Resumed);
    }

    [Fact]
    public async Task ASessionThatIsRemoved_AndCannotSayIt_ShowsANewEpochAtTheNextHeartbeat()
    {
        await using var asker = await ConnectAsync(cluster.Left);
        await using var follower = await ConnectAsync(cluster.Right);
        var first = await AnsweredAsync(asker);
        await asker.PumpUntilDoneAsync(first);
        await DoneAsync(follower, first.Id);
        cluster.Queue.Fates = ItemFates.Drop(static item => item.Kind == GatewayItemKind.Removed);
        Assert.True(await Session.RemoveAsync());

        await cluster.BeatAsync();

        await asker.PumpUntilAsync(() => asker.Resumed is not null, "the asker learns that its log is gone");
        await follower.PumpUntilAsync(() => follower.Resumed is not null, "the follower learns that its log is gone");
        Assert.False(asker.Resumed!.Value.Flag("recovered"));
        var second = await AnsweredAsync(asker, "again " + _session);
        await asker.PumpUntilDoneAsync(second);
        await DoneAsync(follower, second.Id);
    }

    [Fact]
    public async Task ASubscriptionThatIsRemoved_IsRenewedWithinTheHeartbeatTimeout_AndWhatWasMissedIsRead()
    {
        await using var asker = await ConnectAsync(cluster.Left);
        await using var follower = await ConnectAsync(cluster.Right);
        foreach (var subscription in await StreamTo(cluster.Right).GetAllSubscriptionHandles())
        {
            await subscription.UnsubscribeAsync();
        }

        var missed = await AnsweredAsync(asker);
        await asker.PumpUntilDoneAsync(missed);

        cluster.Right.Pass(Defaults.SiloHeartbeatTimeout + Tick);

        await DoneAsync(follower, missed.Id);
        await Eventually.TrueAsync(
            async () =>
            {
                await cluster.BeatAsync();
                cluster.Right.Pass(Tick);
                return (await StreamTo(cluster.Right).GetAllSubscriptionHandles()).Count == 1;
            },
            "one subscription is left");
        var heard = await AnsweredAsync(asker, "again " + _session);
        await DoneAsync(follower, heard.Id);
    }

    [Fact]
    public async Task HeartbeatsOfOneSiloThatDoNotArrive_DelayNothing_AndLeaveOneSubscription()
    {
        await using var asker = await ConnectAsync(cluster.Left);
        await using var follower = await ConnectAsync(cluster.Right);
        var (mute, deaf) = (cluster.Cluster.Orleans.Silos[0].SiloAddress, cluster.Right.Id);
        cluster.Queue.Fates = ItemFates.Drop(item => item.Kind == GatewayItemKind.Heartbeat && item.Gateway == deaf && item.Item.Silo.Equals(mute));
        var before = (await StreamTo(cluster.Right).GetAllSubscriptionHandles()).Single().HandleId;
        for (var passed = TimeSpan.Zero; passed < Defaults.SiloHeartbeatTimeout + Tick; passed += Tick)
        {
            await cluster.BeatAsync();
            cluster.Right.Pass(Tick);
        }

        await Eventually.TrueAsync(
            async () => (await StreamTo(cluster.Right).GetAllSubscriptionHandles()) is [var only] && only.HandleId != before,
            "the subscription is renewed, and one is left");
        for (var i = 0; i < 4; i++)
        {
            var question = await AnsweredAsync(asker, $"{i} {_session}");
            await asker.PumpUntilDoneAsync(question);
            await DoneAsync(follower, question.Id);
        }
    }

    [Fact]
    public async Task ALeaseThatExpiresWhileItsGatewayIsAlive_IsRenewed_AndWhatWasNotSentIsRead()
    {
        // The first complete list announces every session, which would help here, but not in a cluster that has been up for longer.
        await Eventually.TrueAsync(
            async () =>
            {
                cluster.AdvanceSilos(SocketGatewayRegistry.Lease / 5);
                return (await cluster.Registry.ListAsync()).IsSettled;
            },
            "the list of socket gateways is complete");
        await RenewAsync(cluster.Left, cluster.Right);
        await cluster.BeatAsync();

        // It would also learn of the loss because no silo is heard.
        await using var late = await cluster.StartHostAsync(options => options.SiloHeartbeatTimeout = TimeSpan.FromMinutes(5));
        await using var asker = await ConnectAsync(cluster.Left);
        await using var follower = await ConnectAsync(late);
        await Eventually.TrueAsync(
            async () =>
            {
                cluster.AdvanceSilos(SocketGatewayRegistry.Lease / 5);
                return (await Session.DescribeAsync())?.Connections is null or 0;
            },
            "the silos send nothing to any socket gateway");
        var missed = await AnsweredAsync(asker);
        await asker.PumpUntilDoneAsync(missed);

        await RenewAsync(cluster.Left, cluster.Right, late);
        await cluster.BeatAsync();

        await DoneAsync(follower, missed.Id);
        Assert.Null(follower.Resumed);
    }

    [Fact]
    public async Task ARegistryThatIsLost_CutsOffNoGateway_AndListsAllAfterTheNextRenewal()
    {
        await using var asker = await ConnectAsync(cluster.Left);
        await using var follower = await ConnectAsync(cluster.Right);
        await cluster.Registry.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await Eventually.TrueAsync(async () => !(await cluster.Registry.ListAsync()).IsSettled, "the registry is a new one");

        await cluster.BeatAsync();
        var question = await AnsweredAsync(asker);
        await asker.PumpUntilDoneAsync(question);
        await DoneAsync(follower, question.Id);

        await RenewAsync(cluster.Left, cluster.Right);
    }

    private ISessionGrain Session => cluster.Cluster.Session(_session);

    /// <summary>Lets the time pass after which these socket gateways have renewed their leases, whatever became of the last ones.</summary>
    private async Task RenewAsync(params StandingHost[] hosts)
    {
        foreach (var host in hosts)
        {
            host.Pass((SocketGatewayRegistry.Lease / 3) + Tick);
        }

        await Eventually.TrueAsync(
            async () => (await cluster.Registry.ListAsync()).Entries.Select(entry => entry.Gateway).ToHashSet().IsSupersetOf(hosts.Select(host => host.Id)),
            "the leases are renewed");
    }

    private static Task DoneAsync(ReferenceClient client, string question) => client.PumpUntilAsync(
        () => client.Questions.TryGetValue(question, out var seen) && seen.End is not null, $"the end of {question}");

    private Task<ReferenceClient> ConnectAsync(StandingHost host) => TwoGatewaysFixture.ConnectAsync(host.Sockets, _session);

    /// <summary>Asks, and returns when the answer has ended for the grain.</summary>
    private async Task<ReferenceQuestion> AnsweredAsync(ReferenceClient asker, string? text = null)
    {
        text ??= _session;
        cluster.Cluster.Responder.For(text).Send("text").Finish();
        var question = await asker.AskAsync(text);
        await Eventually.TrueAsync(async () => (await Session.GetQuestionAsync(question.Id))?.End is not null, $"{question.Id} has ended");
        return question;
    }

    private int Lost(GatewayItemKind kind) => cluster.Queue.Count(ItemFate.Drop, kind);

    private Orleans.Streams.IAsyncStream<GatewayItem> StreamTo(StandingHost host) => cluster.Cluster.Orleans.Client
        .GetStreamProvider(GatewayStreams.ProviderName).GetStream<GatewayItem>(StreamId.Create(GatewayStreams.Namespace, host.Id));
}
