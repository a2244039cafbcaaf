using System.Net;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>The store of a cluster comes back empty, or cannot be reached at all.</summary>
public sealed class LostStoreTests
{
    /// <summary>Two reads of the membership table, 2 s apart, the first of them up to 2 s after the row is gone, and some time for a slow machine.</summary>
    private static readonly TimeSpan Eviction = TimeSpan.FromSeconds(8);

    /// <summary>The limit that the protocol promises, from the eviction on.</summary>
    private static readonly TimeSpan Exit = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(RedisFlavour.RedisServer)]
    [InlineData(RedisFlavour.Garnet)]
    public async Task AStoreThatComesBackEmpty_EndsTheNodes_AndNoSessionIsHeldTwice(RedisFlavour flavour)
    {
        // 1. Start an answer on each of two nodes.
        await using var nodes = await NodeSet.StartAsync(flavour);
        ServerProcess[] old = [await nodes.AddAsync(), await nodes.AddAsync()];
        var sockets = new List<CheckedSocket>();
        foreach (var node in old)
        {
            var session = Session(node);
            var socket = await CheckedSocket.ConnectAsync(node.Socket(session));
            sockets.Add(socket);
            await socket.ExpectAsync("hello");
            await socket.AskAsync("wait", "q");
            await socket.ExpectAsync("accepted");
            await node.Http.AnswerAsync(session, "q", 0, "half an answer");
            await socket.ExpectAsync("delta");
        }

        // 2. The store loses everything, including the nodes' rows.
        await nodes.FlushAsync();
        var flushedAt = TimeProvider.System.GetTimestamp();

        // 3. Every socket is closed, and every process ends. No question ends: a node cannot know whether another one continues it.
        foreach (var socket in sockets)
        {
            Assert.Equal(CloseCodes.ServiceRestart, (await socket.EndAsync()).Code);
            Assert.InRange(TimeProvider.System.GetElapsedTime(flushedAt), TimeSpan.Zero, Eviction);
        }

        foreach (var node in old)
        {
            Assert.NotEqual(0, await node.ExitAsync(Exit));
        }

        // 4. A node that starts now takes over the sessions, without their state.
        var fresh = await nodes.AddAsync();
        var asked = await fresh.Http.AskAsync(Session(old[0]), """{"question":"again","id":"q-2"}""");
        Assert.Equal(HttpStatusCode.Accepted, asked.Status);
    }

    [Fact]
    public async Task AnEvictedNode_IsNotReady_AndRefusesQuestions()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.Garnet);
        var node = await nodes.AddAsync();
        await using var socket = await CheckedSocket.ConnectAsync(node.Socket(Session(node)));
        await socket.ExpectAsync("hello");
        await socket.AskAsync("wait", "q");
        await socket.ExpectAsync("accepted");

        await nodes.FlushAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                using var ready = await node.Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
                return ready.StatusCode == HttpStatusCode.ServiceUnavailable;
            },
            "it is not ready");

        (await node.Http.AskAsync(Names.Session(), """{"question":"go","id":"q"}""")).IsError(WireErrors.Draining, null);
        Assert.NotEqual(0, await node.ExitAsync(Exit));
    }

    [Fact]
    public async Task AStoreThatCannotBeReached_EvictsNoOne_AndAQuestionIsRefusedWithACode()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.Garnet);
        var node = await nodes.AddAsync();
        await using var socket = await CheckedSocket.ConnectAsync(node.Socket(Session(node)));
        await socket.ExpectAsync("hello");
        await socket.AskAsync("wait", "q");
        await socket.ExpectAsync("accepted");

        nodes.Redis.Kill();

        // No session writes, but the node reads its membership in the same store.
        await Eventually.TrueAsync(
            () => node.Output.Contains("The store of the sessions is away", StringComparison.Ordinal),
            "the outage is noticed");

        using var ready = await node.Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        await node.Http.AnswerAsync(Session(node), "q", 0, "still here");
        Assert.Equal("still here", (await socket.ExpectAsync("delta")).Text("text"));
        var asked = await node.Http.AskAsync(Names.Session(), """{"question":"go","id":"q-9"}""");
        asked.IsError(WireErrors.StoreUnavailable, "q-9");
    }

    [Fact]
    public async Task ASecondSiloWithoutAStore_EndsWithAReason()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.Garnet);
        await nodes.AddAsync("Sessions:Persistence=Memory");

        string[] arguments = [RepositoryFolder.ServerDll, "--urls=http://127.0.0.1:0", .. nodes.Settings.Append("Sessions:Persistence=Memory").Select(setting => "--" + setting)];
        await using var second = ServerProcess.Launch("a second silo", arguments);

        Assert.Equal(1, await second.ExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("Sessions:Persistence is Memory", second.Output);
        Assert.Contains("grain storage named 'sessions'", second.Output);
    }

    private static string Session(ServerProcess node) => $"node-{node.Address.Port}";
}
