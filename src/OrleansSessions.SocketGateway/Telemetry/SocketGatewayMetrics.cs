using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Telemetry;

/// <summary>What a socket gateway counts. Tags come from closed sets only.</summary>
public sealed class SocketGatewayMetrics
{
    /// <summary>The meter's name, for whoever exports it.</summary>
    public const string MeterName = "OrleansSessions.SocketGateway";

    private const string OtherCode = "other";

    // Clients may close with any code; only those of the protocol become tags, and the two that say that there was none.
    private static readonly FrozenDictionary<int, string> KnownCodes = typeof(CloseCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static).Where(static field => field.IsLiteral).Select(static field => (int)field.GetRawConstantValue()!)
        .Concat([ReportedCloseCodes.NoCode, ReportedCloseCodes.Broken])
        .ToFrozenDictionary(static code => code, static code => code.ToString(CultureInfo.InvariantCulture));

    private readonly Histogram<double> _duration;
    private readonly Counter<long> _closes;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _renewals;
    private readonly Counter<long> _rereads;
    private readonly Counter<long> _reattaches;
    private long _received;
    private long _sent;
    private int _active;

    public SocketGatewayMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(MeterName);
        meter.CreateObservableUpDownCounter(
            "sessions.gateway.connection.active", () => Volatile.Read(ref _active), "{connection}", "Sockets open now.");
        _duration = meter.CreateHistogram<double>("sessions.gateway.connection.duration", "s", "How long sockets stayed open.");
        _closes = meter.CreateCounter<long>("sessions.gateway.connection.closes", "{connection}", "Sockets closed, by close code.");
        _errors = meter.CreateCounter<long>("sessions.gateway.errors", "{error}", "Errors told to clients, by code, on sockets and over HTTP.");
        // These two stand in the way of every message, so they are counted here and read when somebody looks.
        meter.CreateObservableCounter("sessions.gateway.messages.received", () => Interlocked.Read(ref _received), "{message}", "Messages from clients.");
        meter.CreateObservableCounter("sessions.gateway.messages.sent", () => Interlocked.Read(ref _sent), "{message}", "Messages to clients.");
        _renewals = meter.CreateCounter<long>("sessions.gateway.subscription.renewals", "{renewal}", "Subscriptions made anew because a silo was missed.");
        _rereads = meter.CreateCounter<long>("sessions.gateway.log.rereads", "{read}", "Reads of the log to fill a hole.");
        _reattaches = meter.CreateCounter<long>("sessions.gateway.session.reattaches", "{attach}", "Sessions attached anew to be sure of them.");
    }

    /// <summary>Sockets open now.</summary>
    public int ActiveConnections => Volatile.Read(ref _active);

    internal void ConnectionOpened() => Interlocked.Increment(ref _active);

    internal void ConnectionClosed(TimeSpan lifetime, int closeCode)
    {
        Interlocked.Decrement(ref _active);
        _duration.Record(lifetime.TotalSeconds);
        _closes.Add(1, new KeyValuePair<string, object?>("code", KnownCodes.GetValueOrDefault(closeCode, OtherCode)));
    }

    internal void ErrorTold(string code) => _errors.Add(1, new KeyValuePair<string, object?>("code", code));

    internal void MessageReceived() => Interlocked.Increment(ref _received);

    internal void MessageSent() => Interlocked.Increment(ref _sent);

    internal void SubscriptionRenewed() => _renewals.Add(1);

    internal void LogReread() => _rereads.Add(1);

    internal void SessionReattached() => _reattaches.Add(1);
}
