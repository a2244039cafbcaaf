using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.SocketGateway.Limits;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

public sealed class AskRatesTests : IAsyncDisposable
{
    private const int Limit = 60;
    private const int MaxBatch = 3;
    private const string Scope = "s.alice";

    private readonly FakeTimeProvider _time = new();
    private readonly FakeQuotas _quotas;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();

    public AskRatesTests() => _quotas = new(Limit, _time);

    [Fact]
    public async Task AsManyAsTheLimit_AreAllowed_AndTheNextIsRefused_WithTheWait()
    {
        await using var rates = Create();
        for (var i = 0; i < Limit; i++)
        {
            Assert.Null(await rates.TakeAsync(Scope, "q"));
        }

        var refusal = (await rates.TakeAsync(Scope, "q-61"))!;
        Assert.Equal((WireErrors.RateLimited, "q-61", 1000L), (refusal.Error, refusal.QuestionId, refusal.RetryAfterMs));
        Assert.Null(await rates.TakeAsync("s.bob", "q"));
    }

    [Fact]
    public async Task Batches_MakeMostQuestionsCostNoCall()
    {
        await using var rates = Create();
        for (var i = 0; i < 30; i++)
        {
            await rates.TakeAsync(Scope, "q");
        }

        // Batches of 1 and 2, then of 3.
        Assert.Equal(2 + (27 / MaxBatch), _quotas.Calls);
    }

    [Fact]
    public async Task WhileRefused_NoCallIsMade_UntilThereIsATokenAgain()
    {
        await using var rates = Create();
        while (await rates.TakeAsync(Scope, "q") is null)
        {
        }

        var calls = _quotas.Calls;
        for (var i = 0; i < 100; i++)
        {
            Assert.NotNull(await rates.TakeAsync(Scope, "q"));
        }

        Assert.Equal(calls, _quotas.Calls);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await rates.TakeAsync(Scope, "q"));
        Assert.NotNull(await rates.TakeAsync(Scope, "q"));
    }

    [Fact]
    public async Task TheAnonymousScope_AndNoLimit_CostNoCall()
    {
        await using var rates = Create();
        await using var unlimited = Create(limit: 0);
        for (var i = 0; i < 2 * Limit; i++)
        {
            Assert.Null(await rates.TakeAsync("", "q"));
            Assert.Null(await unlimited.TakeAsync(Scope, "q"));
        }

        Assert.Equal((0, 0, 0), (_quotas.Calls, rates.Count, unlimited.Count));
    }

    [Fact]
    public async Task TokensThatAreNotUsed_Expire_AndASlowAskerTakesOneAtATime()
    {
        await using var rates = Create();
        await rates.TakeAsync(Scope, "q");
        await rates.TakeAsync(Scope, "q");
        Assert.Equal(2, _quotas.Calls);

        // One token of the second batch is left.
        _time.Advance(AskTokens.Lifetime);
        await rates.TakeAsync(Scope, "q");
        Assert.Equal(3, _quotas.Calls);
        _time.Advance(AskTokens.Lifetime);
        await rates.TakeAsync(Scope, "q");
        Assert.Equal(4, _quotas.Calls);
    }

    [Fact]
    public async Task ManyGateways_TogetherExceedTheLimitByAtMostABatchEach()
    {
        var gateways = Enumerable.Range(0, 4).Select(_ => Create()).ToList();
        var allowed = await CountAsync(gateways, 400);
        Assert.Equal(Limit, allowed);

        // Tokens that were taken before can be used in the next minute, and so much more at most.
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.InRange(await CountAsync(gateways, 400), Limit - (MaxBatch * gateways.Count), Limit + (MaxBatch * gateways.Count));
        foreach (var gateway in gateways)
        {
            await gateway.DisposeAsync();
        }
    }

    [Fact]
    public async Task QuotaThatCannotBeAsked_LimitsNoOne()
    {
        await using var rates = Create();
        _quotas.IsDown = true;
        for (var i = 0; i < 2 * Limit; i++)
        {
            Assert.Null(await rates.TakeAsync(Scope, "q"));
        }

        Assert.Equal(1, _quotas.Calls);
        Assert.Single(_quotas.Log.Lines);
    }

    [Fact]
    public async Task ScopeThatAsksNoMore_IsForgotten()
    {
        await using var rates = Create();
        await rates.TakeAsync(Scope, "q");
        Assert.Equal(1, rates.Count);

        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(30));
                return rates.Count == 0;
            },
            "the scope is forgotten");
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static async Task<int> CountAsync(List<AskRates> gateways, int asks)
    {
        var refusals = await Task.WhenAll(
            Enumerable.Range(0, asks).Select(i => Task.Run(async () => await gateways[i % gateways.Count].TakeAsync(Scope, "q"))));
        return refusals.Count(refusal => refusal is null);
    }

    private AskRates Create(int limit = Limit) => new(
        Options.Create(new ScopeLimitsOptions { MaxAsksPerMinutePerScope = limit }), _quotas.Connect(),
        _services.GetRequiredService<SocketGatewayMetrics>(), _time);
}
