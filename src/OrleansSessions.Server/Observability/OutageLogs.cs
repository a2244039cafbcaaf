using OrleansSessions.Stores;

namespace OrleansSessions.Server.Observability;

/// <summary>
/// Leaves Orleans' lines about calls, activations and connections out of the log while the store of the sessions is away. There would be several of them, with
/// stack traces, for each call that fails, and the outage has a line of its own.
/// </summary>
internal sealed class OutageLogs
{
    // "Error activating grain" and others; "Error refreshing gateways" of processes without a silo; "Error updating liveness timestamp", on its own silo and seen by
    // others.
    private static readonly string[] Categories = ["Orleans.Grain", "Orleans.Messaging", "Orleans.Runtime.MembershipService"];

    private StoreHealth? _health;

    public static OutageLogs Add(ILoggingBuilder logging)
    {
        var logs = new OutageLogs();
        foreach (var category in Categories)
        {
            logging.AddFilter(category, level => level >= LogLevel.Warning && logs._health is not { ExplainsFaults: true });
        }

        return logs;
    }

    /// <summary>Call this once the host is built.</summary>
    public void Follow(StoreHealth health) => _health = health;
}
