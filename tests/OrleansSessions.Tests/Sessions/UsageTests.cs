using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Responders;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>The tokens of an answer are counted once, when its question ends, whatever ends it. Each test has a model of its own.</summary>
public sealed class UsageTests : IClassFixture<UsageTests.Fixture>, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly SessionCluster _cluster;
    private readonly string _id = $"s-{Guid.NewGuid():n}";
    private readonly ConcurrentQueue<(string? Type, long Value)> _counted = new();
    private readonly MeterListener _listener = new();

    public UsageTests(Fixture fixture)
    {
        _cluster = fixture.Cluster;
        var meters = _cluster.Orleans.GetSiloServiceProvider(_cluster.Orleans.Silos[0].SiloAddress).GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "sessions.tokens" && ReferenceEquals(instrument.Meter.Scope, meters))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (Equals(tags[0].Value, _id))
            {
                _counted.Enqueue(((string?)tags[1].Value, value));
            }
        });
        _listener.Start();
    }

    private ISessionGrain Session => _cluster.Session(_id);

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task ACompletedAnswer_CountsTheLastUsageThatItHad()
    {
        var script = await AskAsync();
        script.Use(Usage(5)).Send("x").Use(Usage(9)).Finish();

        Assert.Equal(QuestionStatus.Completed, await StatusAsync());
        Assert.Equal([("input", 9L), ("output", 4L)], _counted);
    }

    [Theory]
    [InlineData(QuestionStatus.Cancelled)]
    [InlineData(QuestionStatus.Failed)]
    [InlineData(QuestionStatus.Timeout)]
    [InlineData(QuestionStatus.Incomplete)]
    public async Task AnAnswerThatEndsEarly_CountsWhatIsKnownByThen_AndOnlyOnce(QuestionStatus status)
    {
        var script = await AskAsync();
        script.IgnoresCancellation = true;
        script.Use(Usage(7));
        await Eventually.TrueAsync(() => script.Taken == 1, "the usage was taken");

        await EndAsync(script, status);

        Assert.Equal(status, await StatusAsync());
        script.Use(Usage(1000)).Finish();
        await script.Stopped.WaitAsync(Patience);
        await Session.CancelAsync("a");
        Assert.Equal([("input", 7L), ("output", 4L)], _counted);
    }

    [Fact]
    public async Task AQuestionThatReplacesAnother_CountsItsOwnUsageOnly()
    {
        var script = await AskAsync();
        script.Use(Usage(7));
        await Eventually.TrueAsync(() => script.Taken == 1, "the usage was taken");
        _cluster.Responder.For(_id + " b").Send("x").Finish();

        await Session.AskAsync("b", _id + " b", IfBusy.Replace);

        Assert.Equal(QuestionStatus.Completed, await StatusAsync("b"));
        Assert.Equal([("input", 7L), ("output", 4L)], _counted);
    }

    [Fact]
    public async Task AnAnswerWithoutUsage_CountsNothing()
    {
        var script = await AskAsync();
        script.Send("x").Finish();

        Assert.Equal(QuestionStatus.Completed, await StatusAsync());
        Assert.Empty(_counted);
    }

    private AnswerUsage Usage(long input) => new(_id) { InputTokens = input, OutputTokens = 4 };

    private async Task<AnswerScript> AskAsync()
    {
        var script = _cluster.Responder.For(_id);
        await Session.AskAsync("a", _id);
        await script.Started.WaitAsync(Patience);
        return script;
    }

    private async Task EndAsync(AnswerScript script, QuestionStatus status)
    {
        switch (status)
        {
            case QuestionStatus.Cancelled:
                await Session.CancelAsync("a");
                break;
            case QuestionStatus.Timeout:
                _cluster.Clock.Advance(new SessionsOptions().SilenceTimeout + TimeSpan.FromSeconds(1));
                break;
            case QuestionStatus.Incomplete:
                script.Stop(DoneReasons.Length);
                break;
            default:
                script.Fail(new ResponderException(DoneReasons.ResponderCut, "cut", isRetryable: true));
                break;
        }
    }

    private async Task<QuestionStatus> StatusAsync(string questionId = "a") => (await Session.WaitForEndAsync(questionId, Patience))!.Status;

    public sealed class Fixture : IAsyncLifetime
    {
        public SessionCluster Cluster { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Cluster = await SessionCluster.StartAsync();

        public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();
    }
}
