using System.Net;
using System.Text.Json;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>How the store goes away.</summary>
public enum StoreOutage
{
    /// <summary>It is gone: connections are refused.</summary>
    Killed,

    /// <summary>It hangs: connections stay open and silent.</summary>
    Frozen,

    /// <summary>It answers, but refuses to write, as a replica does, or a server that has too few of them.</summary>
    ReadOnly,
}

/// <summary>The store of two nodes and of a socket gateway without a silo goes away while answers are under way, and comes back.</summary>
public sealed class StoreOutageTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>The limits that docs/protocol.md promises: until a refusal, and from the store's return until everything works again.</summary>
    private static readonly TimeSpan Refusal = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(3);

    /// <summary>A refusal once the outage is known needs no store. This is some time for a slow machine.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(1);

    private static readonly string[] Answering = ["Responder:Name=echo", "Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00.2"];

    private static readonly string Words = string.Join(' ', Enumerable.Range(0, 40).Select(word => $"word-{word}"));

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("redis-");

    [Theory]
    [InlineData(StoreOutage.Killed)]
    [InlineData(StoreOutage.Frozen)]
    [InlineData(StoreOutage.ReadOnly)]
    public async Task WhileTheStoreIsAway_AsksAreRefused_AnswersGoOn_AndAllRecoversWithoutARestart(StoreOutage outage)
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer, folder: _folder.FullName);
        var one = await nodes.AddAsync(Answering);
        var two = await nodes.AddAsync(Answering);
        var outside = await nodes.AddAsync([.. Answering, "Server:Role=SocketGateway"]);
        ServerProcess[] all = [one, two, outside];

        // 1. An answer runs on each of two nodes, seen through a socket here and there.
        var (first, second) = (Names.Session("first"), Names.Session("second"));
        await using var here = await AskAsync(one, first);
        await using var there = await AskAsync(outside, second);
        var before = all.Select(node => node.Output.Length).ToList();

        // 2. The store goes away. Every ask is refused: of a session that answers, of one that is not active, here and through the socket gateway.
        await LoseAsync(nodes, outage);
        var asks = new[]
        {
            RefusedAsync(one, first), RefusedAsync(two, Names.Session()), RefusedAsync(outside, Names.Session()), RefusedAsync(outside, first),
        };
        var times = await Task.WhenAll(asks);
        output.WriteLine($"{outage}: refused after {string.Join(", ", times.Select(time => $"{time.TotalSeconds:0.00} s"))}");
        Assert.All(times, time => Assert.InRange(time, TimeSpan.Zero, Refusal));

        // 3. Once that is known, at once, also on the socket, which stays open.
        foreach (var node in all)
        {
            await Eventually.TrueAsync(async () => await IsAsync(node, "Degraded"), "the health says that the store is away");
            Assert.InRange(await RefusedAsync(node, Names.Session()), TimeSpan.Zero, AtOnce);
            Assert.InRange(await RefusedAsync(node, second), TimeSpan.Zero, AtOnce);
            using var live = await node.Http.GetAsync(new Uri("/health/live", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        }

        await here.AskAsync("more", "q-more");
        Assert.Equal("q-more", (await here.UntilAsync("error")).Text("question_id"));

        // 4. The answers go on to their last word, but are not done.
        await UntilTextAsync(here, "word-39");
        await UntilTextAsync(there, "word-39");

        // 5. The store is back.
        await ReturnAsync(nodes, outage);
        var backAt = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync(
            async () => (await one.Http.AskAsync(Names.Session(), """{"question":"hi"}""")).Status == HttpStatusCode.Accepted, "an ask is accepted", Recovery);
        var done = await here.UntilAsync("done");
        await there.UntilAsync("done");
        foreach (var node in all)
        {
            await Eventually.TrueAsync(async () => await IsAsync(node, "Healthy"), "the health is as before");
            Assert.Equal(HttpStatusCode.Accepted, (await node.Http.AskAsync(Names.Session(), """{"question":"hi"}""")).Status);
        }

        var recovered = TimeProvider.System.GetElapsedTime(backAt);
        output.WriteLine($"{outage}: recovered after {recovered.TotalSeconds:0.00} s");
        Assert.InRange(recovered, TimeSpan.Zero, Recovery);
        Assert.Equal("completed", done.Text("status"));

        // 6. Each process has one line for the outage, and one for its end.
        Assert.All(all.Zip(before), pair => CheckLog(pair.First.Output[pair.Second..]));
    }

    [Theory]
    [InlineData(StoreOutage.Killed)]
    [InlineData(StoreOutage.ReadOnly)]
    public async Task ANodeThatNoOneAsks_KnowsOfAnOutage_AndHasOneLineForIt(StoreOutage outage)
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer, folder: _folder.FullName);
        ServerProcess[] all = [await nodes.AddAsync(Answering), await nodes.AddAsync(Answering)];
        var before = all.Select(node => node.Output.Length).ToList();

        await LoseAsync(nodes, outage);
        foreach (var node in all)
        {
            await Eventually.TrueAsync(async () => await IsAsync(node, "Degraded"), "the health says that the store is away");
            await Eventually.TrueAsync(() => node.Output.Contains("The store of the sessions is away", StringComparison.Ordinal), "the log says it, too");
        }

        await ReturnAsync(nodes, outage);
        foreach (var node in all)
        {
            await Eventually.TrueAsync(async () => await IsAsync(node, "Healthy"), "the health is as before");
        }

        Assert.All(all.Zip(before), pair => CheckLog(pair.First.Output[pair.Second..]));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static void CheckLog(string log)
    {
        Assert.Equal(1, log.Split("The store of the sessions is away").Length - 1);
        Assert.Equal(1, log.Split("The store of the sessions is back").Length - 1);
        Assert.False(log.Contains("   at ", StringComparison.Ordinal), log);
        Assert.DoesNotContain("fail: ", log, StringComparison.Ordinal);
        Assert.True(log.Split("warn: ").Length == 2, log);
    }

    private static async Task<CheckedSocket> AskAsync(ServerProcess node, string session)
    {
        var socket = await CheckedSocket.ConnectAsync(node.Socket(session));
        await socket.ExpectAsync("hello");
        await socket.AskAsync(Words, "q");
        await socket.UntilAsync("delta");
        return socket;
    }

    /// <summary>Asks, is refused, and returns how long that took.</summary>
    private static async Task<TimeSpan> RefusedAsync(ServerProcess node, string session)
    {
        var startedAt = TimeProvider.System.GetTimestamp();
        var answer = await node.Http.AskAsync(session, """{"question":"why","id":"q-refused","if_busy":"queue"}""");
        var time = TimeProvider.System.GetElapsedTime(startedAt);
        var error = answer.IsError(WireErrors.StoreUnavailable, "q-refused");
        Assert.True(error.GetProperty("retry_after_ms").GetInt64() > 0);
        Assert.NotNull(answer.Headers.RetryAfter);
        return time;
    }

    private static async Task<bool> IsAsync(ServerProcess node, string status)
    {
        using var ready = await node.Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
        var body = await ready.Content.ReadAsStringAsync();
        return ready.StatusCode == HttpStatusCode.OK && JsonDocument.Parse(body).RootElement.Text("status") == status;
    }

    private static async Task UntilTextAsync(CheckedSocket socket, string word)
    {
        while (!(await socket.UntilAsync("delta")).Text("text")!.Contains(word, StringComparison.Ordinal))
        {
        }
    }

    private static Task LoseAsync(NodeSet nodes, StoreOutage outage)
    {
        switch (outage)
        {
            case StoreOutage.Killed:
                nodes.Redis.Kill();
                return Task.CompletedTask;
            case StoreOutage.Frozen:
                nodes.Redis.Freeze();
                return Task.CompletedTask;
            default:
                return nodes.ConfigureStoreAsync("min-replicas-to-write", "1");
        }
    }

    private static Task ReturnAsync(NodeSet nodes, StoreOutage outage)
    {
        switch (outage)
        {
            case StoreOutage.Killed:
                return nodes.Redis.RestartAsync();
            case StoreOutage.Frozen:
                nodes.Redis.Thaw();
                return Task.CompletedTask;
            default:
                return nodes.ConfigureStoreAsync("min-replicas-to-write", "0");
        }
    }
}
