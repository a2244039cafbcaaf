using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansSessions.Grains.Records;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>
/// Sockets that stay attached while the activation behind them changes. Quiet sessions are never attached again here, so only the messages between the
/// grain and the socket gateway help. The clients check the number of every frame.
/// </summary>
public sealed class FollowingTests : IAsyncLifetime
{
    private readonly GatedStorage _store = new();
    private SessionCluster _cluster = null!;
    private SocketHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(
            configureSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, _store));
        _host = await SocketHost.StartAsync(_cluster.Orleans.Client, options => options.QuietSessionTimeout = TimeSpan.FromMinutes(5));
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task ASessionThatComesBackWithALowerEpoch_IsFollowedThere_ByTheAskerAndByOthers()
    {
        await using var asker = await TwoGatewaysFixture.ConnectAsync(_host, "s");
        await using var follower = await TwoGatewaysFixture.ConnectAsync(_host, "s");
        var before = await AskAsync(asker, "before");
        await asker.PumpUntilDoneAsync(before);
        await follower.PumpUntilAsync(() => IsDone(follower, before), "the first answer");
        var epoch = asker.Epoch;
        await _cluster.HibernateAsync();
        _store.Edit<SessionRecord>(state => state.Epoch -= 1_000);

        var after = await AskAsync(asker, "after");
        await asker.PumpUntilDoneAsync(after);
        await follower.PumpUntilAsync(() => IsDone(follower, after), "the second answer");

        Assert.Equal("one two", after.Answer.ToString());
        Assert.Equal("one two", follower.Questions[after.Id].Answer.ToString());
        Assert.Equal(("epoch_changed", "epoch_changed"), (asker.Resumed!.Value.Text("reason"), follower.Resumed!.Value.Text("reason")));
        Assert.NotEqual(epoch, asker.Epoch);
        Assert.Equal((asker.Epoch, asker.Last), (follower.Epoch, follower.Last));
        var last = await AskAsync(asker, "last");
        await asker.PumpUntilDoneAsync(last);
        await follower.PumpUntilAsync(() => IsDone(follower, last), "an answer in that epoch");
    }

    [Fact]
    public async Task AfterAnOutageOfTheStore_DoneComes_WithoutWaitingForASessionToBeQuiet()
    {
        await using var client = await TwoGatewaysFixture.ConnectAsync(_host, "s");
        var script = _cluster.Responder.For("outage").Send("text");
        var question = await client.AskAsync("outage");
        await client.PumpUntilAsync(() => question.NextDelta > 0, "the answer has begun");
        _store.Fail = true;
        script.Finish();
        await Eventually.TrueAsync(() => _store.Failures > 1, "the end could not be written");
        _store.Fail = false;

        await client.PumpUntilDoneAsync(question);

        Assert.Equal("completed", question.Status);
        var next = await AskAsync(client, "next");
        await client.PumpUntilDoneAsync(next);
    }

    [Fact]
    public async Task ManySocketsOfSleepingSessions_MayDropAtOnce_WithoutWakingASession()
    {
        var clients = new List<ReferenceClient>();
        for (var i = 0; i < 10; i++)
        {
            var client = await TwoGatewaysFixture.ConnectAsync(_host, $"s{i}");
            clients.Add(client);
            await client.PumpUntilDoneAsync(await AskAsync(client, $"to {i}"));
        }

        Assert.Equal(10, await ActiveSessionsAsync());
        var registry = _host.Services.GetRequiredService<FollowerRegistry>();
        await _cluster.HibernateAsync();
        await Eventually.TrueAsync(() => registry.Sessions.All(session => session.IsAsleep), "all sessions are known to be asleep");
        await Task.WhenAll(clients.Select(client => client.DropAsync()));
        await Eventually.TrueAsync(() => !registry.Sessions.Any(), "all sockets are gone");

        // The host stops when every request has ended, and with it the last grain call of its socket.
        await _host.StopAsync();
        Assert.Equal(0, await ActiveSessionsAsync());
    }

    private static bool IsDone(ReferenceClient client, ReferenceQuestion question) =>
        client.Questions.TryGetValue(question.Id, out var seen) && seen.End is not null;

    private async Task<int> ActiveSessionsAsync() =>
        (await _cluster.Orleans.Client.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics())
            .Where(statistic => statistic.GrainType.Contains("SessionGrain", StringComparison.Ordinal)).Sum(statistic => statistic.ActivationCount);

    private Task<ReferenceQuestion> AskAsync(ReferenceClient client, string text)
    {
        _cluster.Responder.For(text).Send("one ").Send("two").Finish();
        return client.AskAsync(text);
    }
}
