using OrleansSessions.Configuration;

namespace OrleansSessions.Scopes;

/// <summary>
/// Section <c>Limits</c>: what one scope may use in the whole cluster, so that no caller can hurt the others. A scope is a subject, or all subjects of a
/// tenant. The anonymous scope has none of these limits, because strangers share it. Configure silos and socket gateways alike.
/// </summary>
public sealed class ScopeLimitsOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Limits";

    /// <summary>
    /// The maximum number of open sockets and event streams of a scope. Above it, one is refused with 429 <c>quota_exceeded</c>. Default 100: some tens of
    /// tabs and devices of one person. 0 means no limit.
    /// </summary>
    [Within(0, 1_000_000)]
    public int MaxSocketsPerScope { get; set; } = 100;

    /// <summary>
    /// The maximum number of open questions of a scope, running and queued. Above it, a question is refused with 429 <c>quota_exceeded</c>. Default 20: more
    /// than one person reads at a time, and a bound for what one person costs a model. 0 means no limit.
    /// </summary>
    [Within(0, 1_000_000)]
    public int MaxOpenQuestionsPerScope { get; set; } = 20;

    /// <summary>
    /// The maximum number of questions that a scope asks in a minute. Above it, a question is refused with 429 <c>rate_limited</c>. Default 120. 0 means no
    /// limit.
    /// </summary>
    [Within(0, 1_000_000)]
    public int MaxAsksPerMinutePerScope { get; set; } = 120;

    /// <summary>
    /// The maximum number of sessions of a scope. Above it, the first question of another session is refused with 429 <c>quota_exceeded</c> until one is
    /// removed or forgotten. Default 1,000, which is also the size of the list that <c>GET /v1/sessions</c> reads, so there is no way to lift it.
    /// </summary>
    [Within(1, 10_000)]
    public int MaxSessionsPerScope { get; set; } = 1_000;
}
