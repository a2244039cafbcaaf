using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Stores;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>What questions and answers cost in the store: operations, and bytes with the names under which they are kept.</summary>
public sealed class WriteCostTests(ITestOutputHelper output)
{
    private const int MaxBytes = 13_000;

    private static readonly string Answer = new('a', 2_048);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AQuestionAndAnAnswerOf2KB_WriteAtMost13000Bytes_WhateverIsKept(bool isMemoryStorage)
    {
        await using var cluster = await StartAsync(isMemoryStorage);
        var costs = new List<int>();
        for (var i = 0; i <= 60; i++)
        {
            cluster.Store.ForgetOperations();
            await cluster.AnswerAsync("s", $"id-{i}", Question(i), Answer);
            await WrittenAsync(cluster, $"page.{i}");
            costs.Add(cluster.Store.Operations.Sum(operation => operation.Bytes));
        }

        output.WriteLine($"bytes with 0, 30 and 60 kept: {costs[0]}, {costs[30]}, {costs[60]}");
        Assert.All(costs, cost => Assert.InRange(cost, 1, MaxBytes));
        Assert.InRange(costs[60], 1, costs[0] * 1.15);
        Assert.Equal(61, (await cluster.Session("s").ListQuestionsAsync(100)).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ShortQuestions_Gather(bool isMemoryStorage)
    {
        await using var cluster = await StartAsync(isMemoryStorage);
        for (var i = 0; i < 100; i++)
        {
            await cluster.AnswerAsync("s", $"id-{i}", $"short question {i}", $"a short answer of one sentence, number {i}.");
        }

        var changes = cluster.Store.Operations.Where(operation => operation.IsChange).ToList();
        var pages = changes.Count(operation => operation.Slot.StartsWith("page.", StringComparison.Ordinal));
        output.WriteLine($"100 short questions: {changes.Sum(operation => operation.Bytes) / 100} bytes each, {pages} pages");
        Assert.Equal(200, changes.Count(operation => operation.Slot == "record"));
        Assert.InRange(pages, 1, 20);
        Assert.InRange(changes.Sum(operation => operation.Bytes) / 100, 1, 5_000);
    }

    [Fact]
    public async Task Done_IsVisibleAfterTwoWrites_WithThePageBehindIt()
    {
        await using var cluster = await StartAsync(isMemoryStorage: false);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Store.Before = operation => operation is { Slot: "page.0", Kind: StoreOperationKind.Write } ? gate.Task : Task.CompletedTask;

        var done = await cluster.AnswerAsync("s", "a", Question(0), Answer);

        Assert.Equal(Answer, done.Text);
        await Eventually.TrueAsync(() => Changes(cluster).Count == 3, "the page is being written");
        Assert.Equal(["record", "record", "page.0"], Changes(cluster));
        gate.SetResult();
        await cluster.HasSlotAsync("s", "page.0");
    }

    [Fact]
    public async Task AShortAnswer_CostsTwoWritesInAll()
    {
        await using var cluster = await StartAsync(isMemoryStorage: false);

        await cluster.AnswerAsync("s", "a", "short", "answer");
        await cluster.AnswerAsync("s", "b", "short too", "answer");

        Assert.Equal(["record", "record", "record", "record"], Changes(cluster));
    }

    [Fact]
    public async Task AnAcceptedQuestion_WritesNothingOfEarlierAnswersThatAPageHolds()
    {
        await using var cluster = await StartAsync(isMemoryStorage: false);
        await cluster.AnswerAsync("s", "a", "earlier question" + Question(0), "earlier answer" + Answer);
        await cluster.HasSlotAsync("s", "page.0");
        cluster.Store.ForgetOperations();

        await cluster.Session("s").AskAsync("b", "later");

        var accepted = Assert.Single(cluster.Store.Operations);
        Assert.Equal(-1, accepted.State.Span.IndexOf("earlier"u8));
        Assert.NotEqual(-1, accepted.State.Span.IndexOf("later"u8));
        Assert.InRange(accepted.Bytes, 1, 400);
    }

    private static Task<StoredCluster> StartAsync(bool isMemoryStorage) => StoredCluster.StartAsync(
        configure: options => (options.KeptQuestions, options.KeptBytes) = (1_000, 10_000_000),
        inner: isMemoryStorage ? services => services.GetRequiredKeyedService<IGrainStorage>("memory") : null,
        configureSilo: silo => silo.AddMemoryGrainStorage("memory"));

    private static string Question(int number) => number.ToString(CultureInfo.InvariantCulture).PadRight(2_000, 'q');

    private static List<string> Changes(StoredCluster cluster) =>
        [.. cluster.Store.Operations.Where(operation => operation.IsChange).Select(operation => operation.Slot)];

    private static Task WrittenAsync(StoredCluster cluster, string slot) =>
        Eventually.TrueAsync(() => Changes(cluster).Contains(slot), $"{slot} is written");
}
