using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>A store that forgets a record some time after its last write, as Redis does.</summary>
public sealed class ExpiringStoreTests : IAsyncLifetime
{
    private static readonly TimeSpan Retention = TimeSpan.FromHours(1);

    private readonly GatedStorage _store = new() { Expiry = Retention + TimeSpan.FromMinutes(30) };
    private SessionCluster _cluster = null!;

    private ISessionGrain Session => _cluster.Session("s");

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(
            configure: options => options.Retention = Retention,
            configureSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, _store));
        _store.Clock = _cluster.Clock.Time;
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task ASessionThatOnlyReadsKeepAwake_DoesNotOutliveItsRecord()
    {
        var first = await AnswerAsync("a");
        for (var i = 0; i < 20; i++)
        {
            _cluster.Clock.Advance(Retention / 6);
            Assert.NotNull(await Session.GetQuestionAsync("a"));
        }

        var second = await AnswerAsync("b");
        await _cluster.HibernateAsync();

        Assert.Equal((first.Epoch, first.AcceptedSeq + 3), (second.Epoch, second.AcceptedSeq));
        Assert.Equal(["a", "b"], (await Session.ListQuestionsAsync(10)).Select(question => question.QuestionId));
    }

    [Fact]
    public async Task ARecordThatCannotBeRenewed_IsTriedAgainByALaterRead()
    {
        await AnswerAsync("a");
        _store.Fail = true;
        _cluster.Clock.Advance(Retention * 0.6);
        Assert.NotNull(await Session.GetQuestionAsync("a"));
        await Eventually.TrueAsync(() => _store.Failures > 0, "the renewal has failed");
        _store.Fail = false;
        await _cluster.StoreIsAsync(isAway: false);
        Assert.NotNull(await Session.GetQuestionAsync("a"));
        _cluster.Clock.Advance(Retention * 0.95);

        await AnswerAsync("b");
        Assert.NotNull(await Session.GetQuestionAsync("a"));
    }

    private async Task<QuestionDescription> AnswerAsync(string id)
    {
        _cluster.Responder.For(id).Send("x").Finish();
        Assert.Equal(AskOutcome.Accepted, (await Session.AskAsync(id, id)).Outcome);
        await Eventually.TrueAsync(async () => (await Session.GetQuestionAsync(id))!.End is not null, $"{id} has ended");
        return (await Session.GetQuestionAsync(id))!;
    }
}
