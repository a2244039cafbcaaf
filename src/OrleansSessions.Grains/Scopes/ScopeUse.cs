using Microsoft.Extensions.Options;
using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>What the sessions of this silo use of what their scopes may have.</summary>
internal sealed class ScopeUse(IOptions<ScopeLimitsOptions> limits, OpenQuestionPermits openQuestions, ScopeIndexes indexes)
{
    public ScopeLimitsOptions Limits { get; } = limits.Value;

    public ScopePermits OpenQuestions { get; } = openQuestions.Permits;

    public ScopeIndexes Indexes { get; } = indexes;
}
