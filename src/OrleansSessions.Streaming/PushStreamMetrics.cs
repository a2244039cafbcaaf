using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OrleansSessions.Streaming;

/// <summary>The metrics of push streams, under the meter <c>OrleansSessions.Streaming</c>. Every measurement has the provider's name as a tag.</summary>
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
        _enqueued = _meter.CreateCounter<long>("push_streams.items.enqueued", "{item}", "Items accepted by a queue of this silo.");
        _rejected = _meter.CreateCounter<long>("push_streams.items.rejected", "{item}", "Items refused because their queue remained full.");
        _dropped = _meter.CreateCounter<long>(
            "push_streams.items.dropped",
            "{item}",
            "Items accepted but not delivered, because a subscriber fell too far behind or the silo stopped.");
        _waits = _meter.CreateHistogram<double>(
            "push_streams.enqueue.wait.duration", "s", "Time spent waiting for room in a full queue. Items that did not wait are not included.");
    }

    /// <summary>Observes how many items wait. The callback runs only while a listener is attached.</summary>
    public void ObserveWaiting(string provider, Func<long> count) =>
        _meter.CreateObservableUpDownCounter(
            "push_streams.items.waiting",
            () => new Measurement<long>(count(), new KeyValuePair<string, object?>(ProviderTag, provider)),
            "{item}",
            "Items in the queues of this silo.");

    public void Enqueued(string provider) => _enqueued.Add(1, new KeyValuePair<string, object?>(ProviderTag, provider));

    public void Rejected(string provider) => _rejected.Add(1, new KeyValuePair<string, object?>(ProviderTag, provider));

    public void Waited(string provider, TimeSpan time) => _waits.Record(time.TotalSeconds, new KeyValuePair<string, object?>(ProviderTag, provider));

    public void DroppedForSlowSubscriber(string provider, long items) => Dropped(provider, items, "slow_subscriber");

    public void DroppedAtStop(string provider, long items) => Dropped(provider, items, "stopped");

    private void Dropped(string provider, long items, string reason) =>
        _dropped.Add(items, new TagList { { ProviderTag, provider }, { ReasonTag, reason } });
}
