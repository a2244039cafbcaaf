using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OrleansSessions.Streaming;

/// <summary>What push streams tell about themselves, under the meter <c>OrleansSessions.Streaming</c>. Every measurement carries its provider's name.</summary>
internal sealed class PushStreamMetrics
{
    public const string MeterName = "OrleansSessions.Streaming";

    private const string ProviderTag = "push_streams.provider";
    private const string ReasonTag = "push_streams.reason";

    private readonly Meter _meter;
    private readonly Counter<long> _enqueued;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _dropped;
    private readonly Histogram<double> _waits;

    public PushStreamMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _enqueued = _meter.CreateCounter<long>("push_streams.items.enqueued", "{item}", "Items that a queue of this silo took.");
        _rejected = _meter.CreateCounter<long>("push_streams.items.rejected", "{item}", "Items refused because their queue stayed full.");
        _dropped = _meter.CreateCounter<long>(
            "push_streams.items.dropped", "{item}", "Items taken but not delivered: to a subscriber that fell too far behind, or left over at the silo's stop.");
        _waits = _meter.CreateHistogram<double>("push_streams.enqueue.wait.duration", "s", "Waiting for room in a full queue. Items that found room at once are not in it.");
    }

    /// <summary>Watches how many items wait. The callback runs only while somebody listens.</summary>
    public void ObserveWaiting(string provider, Func<long> count) =>
        _meter.CreateObservableUpDownCounter(
            "push_streams.items.waiting", () => new Measurement<long>(count(), new KeyValuePair<string, object?>(ProviderTag, provider)), "{item}", "Items in the queues of this silo.");

    public void Enqueued(string provider) => _enqueued.Add(1, new KeyValuePair<string, object?>(ProviderTag, provider));

    public void Rejected(string provider) => _rejected.Add(1, new KeyValuePair<string, object?>(ProviderTag, provider));

    public void Waited(string provider, TimeSpan time) => _waits.Record(time.TotalSeconds, new KeyValuePair<string, object?>(ProviderTag, provider));

    public void DroppedForSlowSubscriber(string provider, long items) => Dropped(provider, items, "slow_subscriber");

    public void DroppedAtStop(string provider, long items) => Dropped(provider, items, "stopped");

    private void Dropped(string provider, long items, string reason) =>
        _dropped.Add(items, new TagList { { ProviderTag, provider }, { ReasonTag, reason } });
}
