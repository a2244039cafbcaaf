using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>Three nodes with open questions on each of them, of which one is lost.</summary>
public sealed class LostNodeTests
{
    private const int QuestionsEach = 12;

    /// <summary>The questions stay open, so a node that is stopped waits for as long as it may.</summary>
    private const string Settings = "Server:DrainTimeout=00:00:01";

    [Theory]
    [InlineData(RedisFlavour.RedisServer)]
    [InlineData(RedisFlavour.Garnet)]
    public Task ANodeIsKilled_NoQuestionOfTheOthersEnds_AndItsOwnSessionsAnswer(RedisFlavour flavour) => LoseAsync(flavour, node =>
    {
        node.Kill();
        return Task.CompletedTask;
    });

    [Theory]
    [InlineData(RedisFlavour.RedisServer)]
    public Task ANodeIsStopped_NoQuestionOfTheOthersEnds_AndItsOwnSessionsAnswer(RedisFlavour flavour) => LoseAsync(flavour, node => node.StopAsync());

    [Theory]
    [InlineData(RedisFlavour.RedisServer)]
    public Task ANodeHangs_NoQuestionOfTheOthersEnds_AndItsOwnSessionsAnswer(RedisFlavour flavour) => LoseAsync(flavour, node =>
    {
        node.Freeze();
        return Task.CompletedTask;
    });

    private static async Task LoseAsync(RedisFlavour flavour, Func<ServerProcess, Task> lose)
    {
        // 1. Ask questions that stay open, each on another node.
        await using var nodes = await NodeSet.StartAsync(flavour);
        var (one, two, lost) = (await nodes.AddAsync(Settings), await nodes.AddAsync(Settings), await nodes.AddAsync(Settings));
        foreach (var node in new[] { one, two, lost })
        {
            for (var i = 0; i < QuestionsEach; i++)
            {
                var asked = await node.Http.AskAsync(Session(node, i), """{"question":"wait","id":"q"}""");
                Assert.Equal(202, (int)asked.Status);
            }
        }

        Assert.Equal(3 * QuestionsEach, (await SessionEntriesAsync(nodes)).Count);

        // 2. Lose a node. A remaining node takes over its questions as soon as someone reads them there.
        await lose(lost);
        for (var i = 0; i < QuestionsEach; i++)
        {
            var session = Session(lost, i);
            await Eventually.TrueAsync(
                async () => (await one.Http.QuestionAsync(session, "q")).Text("state") == "recovering", $"{session} answers on a remaining node");
        }

        // 3. The questions of the remaining nodes are still open.
        foreach (var node in new[] { one, two })
        {
            for (var i = 0; i < QuestionsEach; i++)
            {
                Assert.Equal("accepted", (await node.Http.QuestionAsync(Session(node, i), "q")).Text("state"));
            }
        }
    }

    [Theory]
    [InlineData(RedisFlavour.RedisServer)]
    [InlineData(RedisFlavour.Garnet)]
    public async Task WhatALostNodeLeavesInTheDirectory_IsSwept_AndNothingElse(RedisFlavour flavour)
    {
        await using var nodes = await NodeSet.StartAsync(flavour);
        var (survivor, lost) = (await nodes.AddAsync(), await nodes.AddAsync());
        foreach (var node in new[] { survivor, lost })
        {
            for (var i = 0; i < QuestionsEach; i++)
            {
                await node.Http.AskAsync(Session(node, i), """{"question":"wait","id":"q"}""");
            }
        }

        lost.Kill();

        await Eventually.TrueAsync(async () => (await SessionEntriesAsync(nodes)).Count == QuestionsEach, "the lost node's entries are gone");
        Assert.All(await SessionEntriesAsync(nodes), entry => Assert.Contains(Prefix(survivor), entry));
    }

    private static async Task<List<string>> SessionEntriesAsync(NodeSet nodes) =>
        [.. (await nodes.DirectoryEntriesAsync()).Where(entry => entry.Contains("node-", StringComparison.Ordinal))];

    private static string Session(ServerProcess node, int number) => $"{Prefix(node)}{number}";

    private static string Prefix(ServerProcess node) => $"node-{node.Address.Port}-";
}
