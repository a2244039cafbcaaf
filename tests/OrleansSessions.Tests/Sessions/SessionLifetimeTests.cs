using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>How long questions, sessions and their activations last, on a clock that the tests move.</summary>
public sealed class SessionLifetimeTests(SessionLifetimeTests.Fixture fixture) : IClassFixture<SessionLifetimeTests.Fixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FirstDeltaTimeout = TimeSpan.FromSeconds(77);
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(71);
    private static readonly TimeSpan Retention = TimeSpan.FromHours(1);

    private readonly SessionCluster _cluster = fixture.Cluster;
    private readonly string _id = $"s-{Guid.NewGuid():n}";

    private ISessionGrain Session => _cluster.Session(_id);

    [Fact]
    public async Task AModelThatFallsSilent_IsEndedByIdleTimeout_ThoughItsFirstTextMightHaveTakenMuchLonger()
    {
        var script = _cluster.Responder.For(_id);
        await AskAsync("a");
        await script.Started.WaitAsync(Patience);
        script.Send("x");
        await Eventually.TrueAsync(async () => (await Session.GetQuestionAsync("a"))!.Deltas == 1, "the first delta is in the log");

        _cluster.Clock.Advance(SilenceTimeout + TimeSpan.FromSeconds(1));

        await Eventually.TrueAsync(async () => await ReasonOfAsync("a") is not null, "the silence has ended the question");
        Assert.Equal(DoneReasons.TimeoutIdle, await ReasonOfAsync("a"));
    }

    [Fact]
    public async Task TheTimer_IsStoppedWhenNothingIsOpen()
    {
        int CountArmed() => fixture.Time.CountSet(FirstDeltaTimeout - TimeSpan.FromSeconds(7), FirstDeltaTimeout);
        var script = _cluster.Responder.For(_id);
        await AskAsync("a");
        Assert.Equal(1, CountArmed());

        script.Finish();

        await Eventually.TrueAsync(() => CountArmed() == 0, "no timer is set for the question that has ended");
        Assert.NotNull((await Session.GetQuestionAsync("a"))!.End);
    }

    [Theory]
    [InlineData(48)]
    [InlineData(-48)]
    public async Task AStepOfTheWallClock_EndsNothing_AndDelaysNothing(int hours)
    {
        await AskAsync("a");
        _cluster.Clock.Step(TimeSpan.FromHours(hours));
        _cluster.Clock.Advance(TimeSpan.FromSeconds(5));
        var open = (await Session.GetQuestionAsync("a"))!;
        Assert.Null(open.End);
        Assert.InRange(open.DeadlineMs!.Value, 1, (long)FirstDeltaTimeout.TotalMilliseconds - 5000);

        _cluster.Clock.Advance(FirstDeltaTimeout);

        await Eventually.TrueAsync(async () => await ReasonOfAsync("a") is not null, "its own time has ended the question");
        Assert.Equal(DoneReasons.TimeoutFirstDelta, await ReasonOfAsync("a"));
        Assert.InRange((await Session.GetQuestionAsync("a"))!.End!.TotalMs, 77_000, 120_000);
        await AskAsync("b");
        Assert.InRange((await Session.GetQuestionAsync("b"))!.AskedAt, _cluster.Clock.Now - TimeSpan.FromMinutes(1), _cluster.Clock.Now);
        await Session.CancelAsync("b");
    }

    [Fact]
    public async Task ANeverAskedSession_KeepsItsEpoch_ForTwoMinutesAfterItsLastSocket()
    {
        var first = await Session.AttachAsync("g");
        await Session.DetachAsync("g", version: 2);
        Assert.Null(await Session.DescribeAsync());
        var again = await Session.AttachAsync("g", version: 3);
        Assert.Equal(first.Epoch, again.Epoch);

        await Session.DetachAsync("g", version: 4);
        Assert.True(await IsAwakeAsync(_id));
        _cluster.Clock.Advance(UnaskedSessions.StayTime);

        await Eventually.TrueAsync(async () => !await IsAwakeAsync(_id), "the activation is gone");
    }

    [Fact]
    public async Task ANeverAskedSessionWhoseSocketIsBack_StaysAwake()
    {
        await Session.AttachAsync("g");
        await Session.DetachAsync("g", version: 2);
        var back = await Session.AttachAsync("g", version: 3);

        _cluster.Clock.Advance(UnaskedSessions.StayTime * 2);

        Assert.Equal(back.Epoch, (await Session.AttachAsync("g", version: 4)).Epoch);
    }

    [Fact]
    public async Task ManyCallsToOneUnknownSession_AreAllAnswered()
    {
        for (var round = 0; round < 20; round++)
        {
            var replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Session.DescribeAsync()));

            Assert.All(replies, Assert.Null);
        }
    }

    [Fact]
    public async Task CallsToUnknownSessions_LeaveNoActivationBehind()
    {
        var ids = Enumerable.Range(0, 1000).Select(i => $"{_id}-{i}").ToList();
        foreach (var some in ids.Chunk(100))
        {
            await Task.WhenAll(some.Select(id => _cluster.Session(id).CancelAsync()));
        }

        var others = new List<Func<ISessionGrain, Task>>
        {
            session => session.AskAsync("a", ""),
            session => session.CanAcceptQuestionAsync(),
            session => session.AnswerAsync("x"),
            session => session.AnswerAsync(new() { QuestionId = "a", Attempt = 1, Offset = 0, Text = "x" }),
            session => session.ReadLogAsync(epoch: 1, afterSeq: 0),
            session => session.WaitForEndAsync("a", TimeSpan.FromSeconds(1)),
            session => session.DescribeAsync(),
            session => session.GetQuestionAsync("a"),
            session => session.ListQuestionsAsync(5),
            session => session.DetachAsync("g", "c", version: 1),
            session => session.RemoveAsync(),
        };
        for (var i = 0; i < others.Count; i++)
        {
            ids.Add($"{_id}-other-{i}");
            await others[i](_cluster.Session(ids[^1]));
        }

        _cluster.Clock.Advance(UnaskedSessions.CallTime);
        foreach (var id in ids)
        {
            await Eventually.TrueAsync(async () => !await IsAwakeAsync(id), $"session {id} has left");
        }
    }

    [Fact]
    public async Task ASessionThatIsOnlyRead_IsRemembered()
    {
        _cluster.Responder.For(_id).Send("x").Finish();
        await AskAsync("a");
        await Eventually.TrueAsync(async () => (await Session.GetQuestionAsync("a"))!.End is not null, "a has ended");
        for (var i = 0; i < 12; i++)
        {
            _cluster.Clock.Advance(Retention / 6);
            Assert.NotNull(await Session.GetQuestionAsync("a"));
        }

        await _cluster.HibernateAsync();

        Assert.NotNull(await Session.GetQuestionAsync("a"));
    }

    [Fact]
    public async Task AQuestionOverTheSilosLimit_IsRefusedByTheGrain_OverHttpAndOnTheSocket()
    {
        await using var host = await SocketHost.StartAsync(_cluster.Orleans.Client);
        var question = new string('x', Fixture.MaxQuestionBytes + 1);
        using var reply = await host.Http.PostAsJsonAsync(new Uri($"/v1/sessions/{_id}/questions", UriKind.Relative), new { question, id = "a" });
        Assert.Equal(413, (int)reply.StatusCode);
        Assert.Equal("question_too_large", (await reply.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());

        await using var socket = await host.ConnectV1Async(_id);
        await socket.NextAsync("hello");
        await socket.SendAsync(JsonSerializer.Serialize(new { question, id = "a" }));
        var error = await socket.NextAsync("error");
        Assert.Equal(("question_too_large", "question"), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Null(await Session.GetQuestionAsync("a"));
    }

    private Task<AskReply> AskAsync(string questionId) => Session.AskAsync(questionId, _id);

    private async Task<string?> ReasonOfAsync(string questionId) => (await Session.GetQuestionAsync(questionId))!.End?.Reason;

    private async Task<bool> IsAwakeAsync(string id) =>
        await _cluster.Orleans.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(_cluster.Session(id)) is not null;

    public sealed class Fixture : IAsyncLifetime
    {
        public const int MaxQuestionBytes = 300;

        public SessionCluster Cluster { get; private set; } = null!;

        internal RecordingTime Time { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Cluster = await SessionCluster.StartAsync(
            configure: options =>
            {
                options.FirstDeltaTimeout = FirstDeltaTimeout;
                options.SilenceTimeout = SilenceTimeout;
                options.Retention = Retention;
                options.MaxQuestionBytes = MaxQuestionBytes;
            },
            configureSilo: silo =>
            {
                var clock = silo.Services.Last(service => service.IsKeyedService && Equals(service.ServiceKey, TimeProviderNames.Grains));
                Time = new RecordingTime((TimeProvider)clock.KeyedImplementationInstance!);
                silo.Services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.Grains, Time);
            });

        public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();
    }
}
