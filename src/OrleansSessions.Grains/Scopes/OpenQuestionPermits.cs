using Microsoft.Extensions.Options;
using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>The open questions of this silo, by scope.</summary>
internal sealed class OpenQuestionPermits(IOptions<ScopeLimitsOptions> limits, ILocalSiloDetails silo, ScopeQuotaCalls calls, TimeProvider time)
    : IAsyncDisposable
{
    public ScopePermits Permits { get; } = new(
        new(LeaseKind.OpenQuestions, LeaseHolders.NameOf(silo.SiloAddress), limits.Value.MaxOpenQuestionsPerScope), calls, time);

    public ValueTask DisposeAsync() => Permits.DisposeAsync();
}
