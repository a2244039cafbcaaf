using OrleansSessions.TestKit.Faults;
using Xunit;

namespace OrleansSessions.Tests.Faults;

/// <summary>
/// Many clients of all kinds, while the queue between silos and socket gateways loses, repeats and delays items. Each client gets every event in order and
/// once, whatever is lost. Sessions have names of their own, so that the same seed has the same faults.
/// </summary>
public sealed class FaultyQueueTests(FaultyClusterFixture cluster) : IClassFixture<FaultyClusterFixture>
{
    private const int Sessions = 5;
    private const int Pieces = 8;

    [Theory]
    [InlineData("drop", 0.3, 0, 0)]
    [InlineData("double", 0, 0.3, 0)]
    [InlineData("delay", 0, 0, 0.3)]
    [InlineData("all", 0.2, 0.2, 0.3)]
    public Task AnyShareOfItems_DroppedDoubledOrDelayed_CostsNoEvent(string name, double dropped, double doubled, double delayed) =>
        RunAsync(name, ItemFates.Mix(dropped, doubled, delayed), async session =>
        {
            await session.AskAsync(session.Left, Pieces);
            await session.AskBasicAsync(Pieces);
            await session.AskAndCancelAsync(session.Right, session.Left, Pieces);
            await session.AskAsync(session.Right, Pieces);
        });

    [Fact]
    public Task EveryItemLost_CostsNoEvent() =>
        RunAsync("everything", ItemFates.Drop(static _ => true), async session =>
        {
            await session.AskAsync(session.Left, Pieces);
            await session.AskBasicAsync(Pieces);
        });

    private async Task RunAsync(string name, Func<QueuedItem, ItemFate> fates, Func<WatchedSession, Task> use)
    {
        var sessions = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(number => WatchedSession.OpenAsync(cluster, $"{name}-{number}")));
        try
        {
            cluster.Queue.Fates = fates;
            await Task.WhenAll(sessions.Select(use));
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
    }
}
