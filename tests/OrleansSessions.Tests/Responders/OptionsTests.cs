using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Responders;

/// <summary>Options, and who asked, on their way from an ask to the responder.</summary>
public sealed class OptionsTests
{
    private const string Secret = "sk-secret";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task TheResponder_GetsTheOptions_AndWhoAsked()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var options = """{"model": "small"}""";

        var reply = await cluster.Session("s").AskAsync(new()
        {
            QuestionId = "a",
            Question = "why",
            OptionsJson = options,
            Caller = new() { Subject = "ann", TraceParent = "00-1-2-01" },
        });

        Assert.Equal((AskOutcome.Accepted, null, null), (reply.Outcome, reply.FaultyOption, reply.FaultMessage));
        var context = await cluster.Responder.For("why").Started.WaitAsync(Patience);
        Assert.Equal((options, "ann", "00-1-2-01", null), (context.OptionsJson, context.User, context.TraceParent, context.MetadataJson));
    }

    [Fact]
    public async Task WithoutACaller_TheResponderKnowsNoOne()
    {
        await using var cluster = await SessionCluster.StartAsync();
        await cluster.Session("s").AskAsync("a", "why");

        var context = await cluster.Responder.For("why").Started.WaitAsync(Patience);
        Assert.Equal((null, null, null), (context.OptionsJson, context.User, context.TraceParent));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"model\":\"a\",\"model\":\"b\"}")]
    [InlineData("{} {}")]
    public async Task OptionsOfAHost_ThatAreNoValidObject_AreRefusedAsAWhole(string options)
    {
        await using var cluster = await SessionCluster.StartAsync();
        var reply = await AskAsync(cluster, options);
        Assert.Equal((AskOutcome.BadOptions, ""), (reply.Outcome, reply.FaultyOption));
    }

    [Theory]
    [InlineData("echo", "The responder of this server takes no options.")]
    [InlineData("external", "The answers of this server come from outside, so it takes no options.")]
    public async Task AResponderThatTakesNone_RefusesTheFirstOption(string responder, string message)
    {
        await using var cluster = await SessionCluster.StartAsync(responderName: responder);

        var reply = await AskAsync(cluster, """{"model":"m","temperature":1}""");

        Assert.Equal((AskOutcome.BadOptions, "model", message), (reply.Outcome, reply.FaultyOption, reply.FaultMessage));
        Assert.Equal(AskOutcome.Accepted, (await AskAsync(cluster, "{}")).Outcome);
    }

    [Fact]
    public async Task ALongMessage_IsCut_WithoutSplittingAScalar()
    {
        await using var cluster = await SessionCluster.StartAsync();

        var reply = await AskAsync(cluster, $$"""{"m":"{{string.Concat(Enumerable.Repeat("😀", 5_000))}}"}""");

        Assert.Equal(AskOutcome.BadOptions, reply.Outcome);
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(reply.FaultMessage!), 1_020, 1_024);
        Assert.False(char.IsHighSurrogate(reply.FaultMessage![^1]));
    }

    [Fact]
    public async Task AResponderThatThrows_FailsTheAsk_ChangesNothing_AndItsMessageIsNotLogged()
    {
        using var logs = new RecordedLogs();
        await using var cluster = await SessionCluster.StartAsync(
            configureSilo: silo =>
            {
                silo.Services.AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = Environments.Production });
                silo.Services.AddLogging(logging => logging.AddProvider(logs).SetMinimumLevel(LogLevel.Trace));
            });
        await cluster.Session("s").AskAsync("running", "running");

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => cluster.Session("s").AskAsync(new()
        {
            QuestionId = "a",
            Question = "why",
            IfBusy = IfBusy.Replace,
            OptionsJson = $$"""{"broken":"{{Secret}}"}""",
        }));

        Assert.DoesNotContain(Secret, fault.ToString(), StringComparison.Ordinal);
        Assert.Equal(QuestionStatus.Accepted, (await cluster.Session("s").GetQuestionAsync("running"))!.Status);
        Assert.Null(await cluster.Session("s").GetQuestionAsync("a"));
        Assert.Equal(AskOutcome.Accepted, (await cluster.Session("s").AskAsync("a", "why", IfBusy.Replace)).Outcome);
        Assert.Contains(logs.OwnLines, line => line.Contains("checked the options", StringComparison.Ordinal) && line.Contains(nameof(FormatException), StringComparison.Ordinal));
        Assert.DoesNotContain(logs.Lines, line => line.Contains(Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ASessionThatWasNeverAsked_DoesNotStay_WhenItsResponderThrows()
    {
        await using var cluster = await SessionCluster.StartAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => AskAsync(cluster, """{"broken":1}"""));

        await Eventually.TrueAsync(
            async () => !(await cluster.Orleans.Client.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics())
                .Any(grains => grains.GrainType.Contains("SessionGrain", StringComparison.Ordinal) && grains.ActivationCount > 0),
            "the activation has left");
    }

    [Fact]
    public async Task OptionsOfAQueuedQuestion_SurviveARestart()
    {
        var store = new GatedStorage();
        var options = """{"model":"small"}""";
        await using (var first = await StartAsync(store))
        {
            await first.Session("s").AskAsync("a", "a");
            var reply = await first.Session("s").AskAsync(new()
            {
                QuestionId = "b",
                Question = "b",
                IfBusy = IfBusy.Queue,
                OptionsJson = options,
                Caller = new() { Subject = "ann", TraceParent = "00-1-2-01" },
            });
            Assert.Equal((AskOutcome.Accepted, 1), (reply.Outcome, reply.Position));
        }

        await using var second = await StartAsync(store);
        Assert.Equal(DoneReasons.ResponderLost, (await second.Session("s").GetQuestionAsync("a"))!.End?.Reason);

        var context = await second.Responder.For("b").Started.WaitAsync(Patience);
        Assert.Equal((options, "ann", "00-1-2-01"), (context.OptionsJson, context.User, context.TraceParent));
    }

    private static Task<SessionCluster> StartAsync(GatedStorage store) => SessionCluster.StartAsync(
        configureSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, store));

    private static Task<AskReply> AskAsync(SessionCluster cluster, string options) =>
        cluster.Session("s").AskAsync(new() { QuestionId = "a", Question = "why", OptionsJson = options });
}
