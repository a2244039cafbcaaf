using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Responders;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>A model that thinks is not dead: each piece of its responder is a sign of life, with text or without, and one without text reaches no one.</summary>
public sealed class SignsOfLifeTests(SignsOfLifeTests.Fixture fixture) : IClassFixture<SignsOfLifeTests.Fixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FirstDeltaTimeout = TimeSpan.FromSeconds(300);
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(177);

    /// <summary>Less than a silence, with room for a machine that is busy: the clock of the grains runs on between two jumps.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(140);

    private readonly SessionCluster _cluster = fixture.Cluster;
    private readonly string _id = $"s-{Guid.NewGuid():n}";

    private ISessionGrain Session => _cluster.Session(_id);

    [Fact]
    public async Task I5_AModelThatThinksForLongerThanBothTimers_AndShowsIt_Completes()
    {
        var script = await AskAsync("a");
        for (var i = 0; i < 4; i++)
        {
            await ThinkAsync(script);
            _cluster.Clock.Advance(Pause);
        }

        var open = (await Session.GetQuestionAsync("a"))!;
        Assert.Equal((QuestionStatus.Accepted, 0), (open.Status, open.Deltas));
        Assert.InRange(open.DeadlineMs!.Value, 1, (long)(SilenceTimeout - Pause).TotalMilliseconds);
        script.Send("42").Finish();

        var question = (await Session.WaitForEndAsync("a", Patience))!;
        Assert.Equal((QuestionStatus.Completed, "42"), (question.Status, question.Text));
        Assert.InRange(question.End!.FirstMs!.Value, 4 * (long)Pause.TotalMilliseconds, long.MaxValue);
    }

    [Fact]
    public async Task I5_SignsAndThenSilence_AreEndedByTheSilenceTimer_ThoughTheFirstTextMightHaveTakenLonger()
    {
        var script = await AskAsync("a");
        await ThinkAsync(script);
        _cluster.Clock.Advance(SilenceTimeout + TimeSpan.FromSeconds(1));

        var question = await EndOfAsync("a");

        Assert.Equal((QuestionStatus.Timeout, DoneReasons.TimeoutIdle, ""), (question.Status, question.End!.Reason, question.Text));
        Assert.Equal("Neither text nor another sign of life came for 177 s.", question.End.Message);
        Assert.Null(question.End.FirstMs);
        Assert.InRange(question.End.TotalMs, (long)SilenceTimeout.TotalMilliseconds, (long)FirstDeltaTimeout.TotalMilliseconds - 1);
        await script.Cancelled.WaitAsync(Patience);
    }

    [Fact]
    public async Task I5_NoSignAtAll_IsEndedByTheTimerOfTheFirst()
    {
        await AskAsync("a");
        _cluster.Clock.Advance(FirstDeltaTimeout);

        var end = (await EndOfAsync("a")).End!;

        Assert.Equal((DoneReasons.TimeoutFirstDelta, "No text and no other sign of life came within 300 s."), (end.Reason, end.Message));
    }

    [Fact]
    public async Task I5_SignsWithoutEnd_AreEndedByTheTotalTimer()
    {
        var script = await AskAsync("a");
        for (var i = 0; i < 7 && !script.Cancelled.IsCompleted; i++)
        {
            await ThinkAsync(script);
            _cluster.Clock.Advance(Pause);
        }

        Assert.Equal((DoneReasons.TimeoutTotal, ""), ((await EndOfAsync("a")).End!.Reason, (await EndOfAsync("a")).Text));
    }

    /// <summary>The timer finds a sign that no one has read before: the grain is not called meanwhile.</summary>
    [Fact]
    public async Task ASignThatCameInTime_SavesItsQuestion_ThoughItIsReadWhenTheTimerFires()
    {
        int CountSet(int from, int to) => fixture.Time.CountSet(TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(to));
        var script = await AskAsync("a");
        var before = CountSet(90, 110);
        _cluster.Clock.Advance(TimeSpan.FromSeconds(190));
        await Eventually.TrueAsync(() => CountSet(90, 110) == before + 1, "the timer is set to the end of the wait for the first sign");
        await ThinkAsync(script);
        before = CountSet(40, 66);

        _cluster.Clock.Advance(TimeSpan.FromSeconds(111));

        await Eventually.TrueAsync(() => CountSet(40, 66) == before + 1, "the timer is set to a silence after the sign");
        var question = (await Session.GetQuestionAsync("a"))!;
        Assert.Null(question.End);
        Assert.InRange(question.DeadlineMs!.Value, 1, 66_000);
        script.Finish();
    }

    [Fact]
    public async Task ManySigns_ReachNoOne()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        await Session.AttachAsync(gateway.Id);
        var script = await AskAsync("a", gateway.Id);

        await ThinkAsync(script, signs: 1000);
        script.Send("42").Finish();

        var events = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);
        Assert.Equal([LogEventKind.Accepted, LogEventKind.Delta, LogEventKind.Done], events.Select(logged => logged.Kind));
        Assert.Equal((1, 2L), (events[^1].End!.Deltas, events[^1].End!.Bytes));
    }

    [Fact]
    public async Task ASignOfAnEarlierQuestion_DoesNotCountForTheNext()
    {
        var earlier = _cluster.Responder.For(_id);
        earlier.IgnoresCancellation = true;
        await AskAsync("a");
        await ThinkAsync(earlier);
        await Session.AskAsync("b", _id + " b", IfBusy.Replace);
        await _cluster.Responder.For(_id + " b").Started.WaitAsync(Patience);

        earlier.Think();
        await earlier.Stopped.WaitAsync(Patience);

        var untilDeadline = (await Session.GetQuestionAsync("b"))!.DeadlineMs!.Value;
        Assert.InRange(untilDeadline, (long)SilenceTimeout.TotalMilliseconds + 1, (long)FirstDeltaTimeout.TotalMilliseconds);
        await Session.CancelAsync("b");
    }

    [Fact]
    public void ASignThatIsReadLate_UndoesNoLaterOne_AndTextIsASignToo()
    {
        var bed = new SessionTestBed();
        bed.Ask("a");
        bed.Now += TimeSpan.FromSeconds(10);
        bed.Say("x");

        bed.Session.Running!.NoteSign(bed.Now - TimeSpan.FromSeconds(5));
        Assert.Equal(bed.Now + bed.Options.SilenceTimeout, bed.Session.NextDeadline());

        bed.Session.Running.NoteSign(bed.Now + TimeSpan.FromSeconds(5));
        Assert.Equal(bed.Now + TimeSpan.FromSeconds(5) + bed.Options.SilenceTimeout, bed.Session.NextDeadline());
    }

    [Fact]
    public void WhileNoSignIsKnown_TheDeadlinesAreLookedAtOnceInEverySilence()
    {
        var bed = new SessionTestBed();
        Assert.Null(bed.Session.NextLook(bed.Now));
        bed.Ask("a");
        Assert.Equal(bed.Now + bed.Options.SilenceTimeout, bed.Session.NextLook(bed.Now));
        var late = bed.Now + TimeSpan.FromSeconds(100);
        Assert.Equal(bed.Now + bed.Options.FirstDeltaTimeout, bed.Session.NextLook(late));

        bed.Session.Running!.NoteSign(bed.Now);
        Assert.Equal(bed.Session.NextDeadline(), bed.Session.NextLook(bed.Now));
    }

    [Fact]
    public void AnAnswerFromOutside_HasNoSilence()
    {
        var bed = new SessionTestBed(isAnsweredFromOutside: true);
        bed.Ask("a");
        bed.Append("a", 0, "x");

        Assert.Equal(bed.Now + bed.Options.AnswerTimeout, bed.Session.NextDeadline());
        Assert.Equal(bed.Session.NextDeadline(), bed.Session.NextLook(bed.Now));
    }

    private static async Task ThinkAsync(AnswerScript script, int signs = 1)
    {
        var taken = script.Taken + signs;
        for (var i = 0; i < signs; i++)
        {
            script.Think();
        }

        await Eventually.TrueAsync(() => script.Taken == taken || script.Cancelled.IsCompleted, $"{signs} signs of life were taken");
    }

    private async Task<AnswerScript> AskAsync(string questionId, string? gateway = null)
    {
        var script = _cluster.Responder.For(_id);
        await Session.AskAsync(questionId, _id, gateway: gateway, connection: gateway is null ? null : "c");
        await script.Started.WaitAsync(Patience);
        return script;
    }

    private async Task<QuestionDescription> EndOfAsync(string questionId)
    {
        var question = (await Session.WaitForEndAsync(questionId, Patience))!;
        Assert.NotNull(question.End);
        return question;
    }

    public sealed class Fixture : IAsyncLifetime
    {
        public SessionCluster Cluster { get; private set; } = null!;

        internal RecordingTime Time { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Cluster = await SessionCluster.StartAsync(
            configure: options => (options.FirstDeltaTimeout, options.SilenceTimeout) = (FirstDeltaTimeout, SilenceTimeout),
            configureSilo: silo =>
            {
                var clock = silo.Services.Last(service => service.IsKeyedService && Equals(service.ServiceKey, TimeProviderNames.Grains));
                Time = new RecordingTime((TimeProvider)clock.KeyedImplementationInstance!);
                silo.Services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.Grains, Time);
            });

        public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();
    }
}
