using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>The stored index of one scope.</summary>
[GenerateSerializer, Alias("OrleansSessions.ScopeIndexState")]
internal sealed class ScopeIndexState
{
    [Id(0)]
    public List<ListedSession> Sessions { get; set; } = [];
}
