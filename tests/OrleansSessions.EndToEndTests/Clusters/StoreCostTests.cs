using System.Net;
using System.Text.Json;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>What questions and answers cost a real store, as the store counts it.</summary>
public sealed class StoreCostTests(ITestOutputHelper output)
{
    private const int Questions = 20;

    /// <summary>What a session writes, see <c>docs/architecture.md</c>.</summary>
    private const int MaxBytes = 13_000;

    /// <summary>For each question: the commands and scripts around three writes, the directory, and the heartbeats of a cluster meanwhile.</summary>
    private const int MaxOverhead = 2_000;

    [Fact]
    public async Task AQuestionAndAnAnswerOf2KB_CostRedisTheSame_WhateverTheSessionKeeps()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var node = await nodes.AddAsync("Sessions:KeptBytes=1000000", "Sessions:KeptQuestions=100");
        var session = Names.Session();
        await AnswerAsync(node, session, "first");

        var first = await MeasureAsync(nodes, node, session, "a");
        await MeasureAsync(nodes, node, session, "b");
        var last = await MeasureAsync(nodes, node, session, "c");

        output.WriteLine($"bytes that Redis received for each question: {first} with 1 to 20 kept, {last} with 41 to 60 kept");
        Assert.InRange(first, 8_000, MaxBytes + MaxOverhead);
        Assert.InRange(last, 8_000, Math.Min(MaxBytes + MaxOverhead, first * 1.15));
    }

    private static async Task<long> MeasureAsync(NodeSet nodes, ServerProcess node, string session, string name)
    {
        var before = await nodes.ReceivedBytesAsync();
        for (var i = 0; i < Questions; i++)
        {
            await AnswerAsync(node, session, $"{name}-{i}");
        }

        return (await nodes.ReceivedBytesAsync() - before) / Questions;
    }

    private static async Task AnswerAsync(ServerProcess node, string session, string id)
    {
        var asked = await node.Http.AskAsync(session, JsonSerializer.Serialize(new { id, question = id.PadRight(2_000, 'q') }));
        Assert.Equal(HttpStatusCode.Accepted, asked.Status);
        var answered = await node.Http.RespondAsync(session, new string('a', 2_048), id);
        Assert.Equal(HttpStatusCode.OK, answered.Status);
    }
}
