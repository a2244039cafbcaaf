using OrleansSessions.Gateways;
using OrleansSessions.Log;
using OrleansSessions.TestKit.Faults;
using Xunit;

namespace OrleansSessions.Tests.Faults;

/// <summary>
/// Many clients of all kinds, while the queue between silos and socket gateways loses, repeats and delays items. Each client gets every event in order and
/// once, whatever is lost. The sessions have fixed names, so that the same seed has the same faults.
/// </summary>
public sealed class FaultyQueueTests(FaultyClusterFixture cluster) : IClassFixture<FaultyClusterFixture>
{
    private const int Sessions = 6;
    private const int Pieces = 10;

    /// <summary>How long everything is lost, and then delivered, in turn: a part of the time that one answer takes.</summary>
    private static readonly TimeSpan Outage = TimeSpan.FromMilliseconds(150);

    [Theory]
    [InlineData("drop", 0.3, 0, 0)]
    [InlineData("repeat", 0, 0.3, 0)]
    [InlineData("delay", 0, 0, 0.3)]
    [InlineData("all", 0.2, 0.2, 0.3)]
    public Task ItemsDroppedRepeatedAndDelayed_CostNoEvent(string name, double dropped, double repeated, double delayed) =>
        RunAsync(name, ItemFates.Mix(dropped, repeated, delayed), UseAsync);

    [Fact]
    public Task EveryItemLost_CostsNoEvent() => RunAsync("none", ItemFates.Drop(static _ => true), UseAsync);

    [Fact]
    public Task EveryItemLost_AgainAndAgain_CostsNoEvent()
    {
        var start = TimeProvider.System.GetTimestamp();
        return RunAsync("outages", ItemFates.Drop(_ => (int)(TimeProvider.System.GetElapsedTime(start) / Outage) % 2 == 0), UseAsync);
    }

    [Fact]
    public Task EveryHeartbeatLost_CostsNoEvent() =>
        RunAsync("heartbeats", ItemFates.Drop(static item => item.Kind == GatewayItemKind.Heartbeat), UseAsync);

    [Fact]
    public Task TheEndOfEveryAnswerLost_CostsNoEvent() =>
        RunAsync("ends", ItemFates.Drop(static item => item.Item.Events is [.., { Kind: LogEventKind.Done }]), UseAsync);

    [Theory]
    [InlineData(GatewayItemKind.Awake)]
    [InlineData(GatewayItemKind.Asleep)]
    public Task WhatSleepingSessionsReport_Lost_CostsNoEvent(GatewayItemKind kind) => RunAsync(
        $"sleep-{kind}",
        ItemFates.Drop(item => item.Kind == kind),
        static session => session.AskAsync(session.Left, Pieces),
        static session => session.AskAsync(session.Right, Pieces),
        static session => session.AskBasicAsync(Pieces));

    private static async Task UseAsync(WatchedSession session)
    {
        await session.AskAsync(session.Left, Pieces);
        await session.AskBasicAsync(Pieces);
        await session.AskAndCancelAsync(session.Right, session.Left, Pieces);
        await session.AskAsync(session.Right, Pieces);
    }

    /// <summary>Between two steps, all sessions go to sleep.</summary>
    private async Task RunAsync(string name, Func<QueuedItem, ItemFate> fates, params Func<WatchedSession, Task>[] steps)
    {
        var sessions = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(number => WatchedSession.OpenAsync(cluster, $"{name}-{number}")));
        var delivered = cluster.Queue.Count(ItemFate.Deliver);
        var items = cluster.Queue.Items;
        try
        {
            cluster.Queue.Fates = fates;
            foreach (var step in steps)
            {
                await Task.WhenAll(sessions.Select(step));
                await cluster.Cluster.HibernateAsync();
            }

            await Task.WhenAll(sessions.Select(session => session.SettleAsync()));
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"With FAULTS_SEED={cluster.Queue.Seed}: {fault.Message}", fault);
        }
        finally
        {
            cluster.Queue.Fates = ItemFates.None;
            foreach (var session in sessions)
            {
                await session.DisposeAsync();
            }
        }

        Assert.True(cluster.Queue.Items - items > cluster.Queue.Count(ItemFate.Deliver) - delivered, "Nothing went wrong, so nothing was shown.");
    }
}
