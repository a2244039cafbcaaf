using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

/// <summary>What becomes of a session while the grains of its scope are slow, fail, or stop with their silo. The silo has a store.</summary>
public sealed class ScopeFaultTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly string Alice = SessionScope.Of("test", "alice");
    private static readonly string Bob = SessionScope.Of("test", "bob");

    private readonly GatedStorage _store = new();
    private readonly TaskCompletionSource _quotaIsAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource? _quotaGate;
    private volatile string? _scopeWithoutIndex;
    private SessionCluster _cluster = null!;

    private IScopeIndexGrain Index => _cluster.Orleans.Client.GetGrain<IScopeIndexGrain>(Alice);

    public async ValueTask InitializeAsync() => _cluster = await SessionCluster.StartAsync(configureSilo: silo =>
    {
        silo.Services.AddKeyedSingleton<Orleans.Storage.IGrainStorage>(SessionsOptions.StorageName, _store);
        silo.AddIncomingGrainCallFilter(async context =>
        {
            if (context.Grain is IScopeQuotaGrain && _quotaGate is { } gate)
            {
                _quotaIsAsked.TrySetResult();
                await gate.Task;
            }

            if (context.Grain is IScopeIndexGrain && context.TargetId.Key.ToString() == _scopeWithoutIndex)
            {
                throw new TimeoutException();
            }

            await context.Invoke();
        });
    });

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task SessionWhoseStayEnds_WhileItsFirstQuestionWaitsForAPermit_AnswersTheQuestion()
    {
        var script = _cluster.Responder.For("why");
        var session = Session(Alice, "one");

        // The stay that this call begins is over while the question waits.
        Assert.Null(await session.DescribeAsync());
        var gate = _quotaGate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var asking = session.AskAsync("q-1", "why");
        await _quotaIsAsked.Task.WaitAsync(Patience);
        _cluster.Clock.Advance(UnaskedSessions.CallTime);

        // This call interleaves, so its turn comes after the one in which the stay ends.
        await session.WaitForEndAsync("q-1", TimeSpan.Zero);
        gate.SetResult();
        Assert.Equal(AskOutcome.Accepted, (await asking).Outcome);
        script.Send("because").Finish();

        Assert.Equal(QuestionStatus.Completed, (await session.WaitForEndAsync("q-1", Patience))!.Status);
    }

    [Fact]
    public async Task IndexOfOneScope_ThatFails_LeavesTheLimitsAndRemovalsOfOthersAsTheyAre()
    {
        await Session(Alice, "one").AskAsync("q-1", "why");
        _scopeWithoutIndex = Bob;
        Assert.Equal(AskOutcome.Accepted, (await Session(Bob, "one").AskAsync("q-1", "why")).Outcome);

        await Session(Alice, "two").AskAsync("q-1", "why");
        Assert.Equal(["one", "two"], await ListedAsync());
        await Session(Alice, "one").RemoveAsync();
        Assert.Equal(["two"], await ListedAsync());
    }

    [Fact]
    public async Task Removal_WhoseIndexFails_Fails_AndCanBeRepeated()
    {
        var session = Session(Alice, "one");
        await session.AskAsync("q-1", "why");
        _scopeWithoutIndex = Alice;
        await Assert.ThrowsAsync<TimeoutException>(() => session.RemoveAsync());
        Assert.Null(await session.DescribeAsync());
        _scopeWithoutIndex = null;
        Assert.Equal(["one"], await ListedAsync());

        Assert.False(await session.RemoveAsync());

        Assert.Empty(await ListedAsync());
        Assert.False(IsWritten());
    }

    [Fact]
    public async Task Removal_FromAnIndexThatCannotBeWritten_Fails_AndCanBeRepeated()
    {
        await Index.AddAsync(new() { Session = ListedSession.Of("one", "why", _cluster.Clock.Now) });
        _store.Fail = true;
        await Assert.ThrowsAnyAsync<Exception>(() => Index.RemoveAsync(new() { SessionIds = ["one"], IsDurable = true }));
        Assert.True(IsWritten());
        _store.Fail = false;
        await _cluster.StoreIsAsync(isAway: false);

        await Index.RemoveAsync(new() { SessionIds = ["one"], IsDurable = true });

        Assert.False(IsWritten());
    }

    [Fact]
    public async Task FirstQuestion_ThatTheIndexDidNotTake_IsAddedWhenItCanBeAskedAgain()
    {
        _scopeWithoutIndex = Alice;
        await Session(Alice, "one").AskAsync("q-1", "why");
        _scopeWithoutIndex = null;

        await Eventually.TrueAsync(async () => (await ListedAsync()).SequenceEqual(["one"]), "the session has its place");
    }

    [Fact]
    public async Task SiloThatStops_ReportsTheLastQuestionsFirst()
    {
        await Session(Alice, "one").AskAsync("q-1", "first");
        await Session(Alice, "one").AskAsync("q-2", "last", IfBusy.Queue);

        await _cluster.Orleans.StopSiloAsync(_cluster.Orleans.Silos[0]);

        Assert.Equal(["last"], Written().Select(session => session.LastQuestion));
    }

    private ISessionGrain Session(string scope, string id) => _cluster.Orleans.Client.GetGrain<ISessionGrain>(SessionKey.Of(scope, id));

    private async Task<IEnumerable<string>> ListedAsync() =>
        (await Index.ListAsync(new() { Limit = 10 })).Sessions.Select(session => session.SessionId).Order(StringComparer.Ordinal);

    private bool IsWritten() => _store.Keys.Any(key => key.StartsWith("scopeindex", StringComparison.Ordinal));

    private List<ListedSession> Written()
    {
        var sessions = new List<ListedSession>();
        _store.Edit<ScopeIndexState>(state => sessions.AddRange(state.Sessions));
        return sessions;
    }
}
