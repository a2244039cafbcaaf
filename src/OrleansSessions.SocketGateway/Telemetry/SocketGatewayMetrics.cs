using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Telemetry;

/// <summary>The metrics of a socket gateway. All tags come from closed sets.</summary>
public sealed class SocketGatewayMetrics
{
    /// <summary>The name of the meter, for exporters.</summary>
    public const string MeterName = "OrleansSessions.SocketGateway";

    private const string OtherCode = "other";

    // Clients can close with any code. Only those of the protocol become tags, and the two that mean that there was none.
    private static readonly FrozenDictionary<int, string> KnownCodes = typeof(CloseCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static).Where(static field => field.IsLiteral).Select(static field => (int)field.GetRawConstantValue()!)
        .Concat([ReportedCloseCodes.NoCode, ReportedCloseCodes.Broken])
        .ToFrozenDictionary(static code => code, static code => code.ToString(CultureInfo.InvariantCulture));

    // These codes mean one limit each. For the others, the place that refuses says which limit it was.
    private static readonly FrozenDictionary<string, string> LimitOfCode = new Dictionary<string, string>
    {
        [WireErrors.ConnectionLimit.Code] = LimitNames.Connections,
        [WireErrors.MessageTooLarge.Code] = LimitNames.MessageBytes,
        [WireErrors.QuestionTooLarge.Code] = LimitNames.QuestionBytes,
        [WireErrors.QueueFull.Code] = LimitNames.Queue,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly Histogram<double> _duration;
    private readonly Counter<long> _closes;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _limits;
    private readonly Counter<long> _renewals;
    private readonly Counter<long> _rereads;
    private readonly Counter<long> _reattaches;
    private readonly Counter<long> _behind;
    private long _received;
    private long _sent;
    private int _active;

    public SocketGatewayMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(MeterName);
        meter.CreateObservableUpDownCounter(
            "sessions.gateway.connection.active", () => Volatile.Read(ref _active), "{connection}", "Connections that are open now.");
        _duration = meter.CreateHistogram<double>("sessions.gateway.connection.duration", "s", "How long connections were open.");
        _closes = meter.CreateCounter<long>("sessions.gateway.connection.closes", "{connection}", "Closed connections, by close code.");
        _errors = meter.CreateCounter<long>("sessions.gateway.errors", "{error}", "Errors sent to clients, by code, on sockets and over HTTP.");
        _limits = meter.CreateCounter<long>(
            "sessions.gateway.limit.refusals", "{refusal}", "Requests and messages refused because a limit was reached, by limit.");

        // Every message passes these two, so they are counted here and read only when the metrics are collected.
        meter.CreateObservableCounter("sessions.gateway.messages.received", () => Interlocked.Read(ref _received), "{message}", "Messages from clients.");
        meter.CreateObservableCounter("sessions.gateway.messages.sent", () => Interlocked.Read(ref _sent), "{message}", "Messages to clients.");
        _renewals = meter.CreateCounter<long>("sessions.gateway.subscription.renewals", "{renewal}", "Renewals because nothing was received from a silo.");
        _rereads = meter.CreateCounter<long>("sessions.gateway.log.rereads", "{read}", "Reads of the log because events were missing.");
        _reattaches = meter.CreateCounter<long>("sessions.gateway.session.reattaches", "{attach}", "Sessions attached again because items may have been lost.");
        _behind = meter.CreateCounter<long>(
            "sessions.gateway.followers.behind", "{follower}", "Followers whose clients read too slowly for live events, and were then fed from the log.");
    }

    /// <summary>Connections that are open now.</summary>
    public int ActiveConnections => Volatile.Read(ref _active);

    internal void ConnectionOpened() => Interlocked.Increment(ref _active);

    internal void ConnectionClosed(TimeSpan lifetime, int closeCode)
    {
        Interlocked.Decrement(ref _active);
        _duration.Record(lifetime.TotalSeconds);
        _closes.Add(1, new KeyValuePair<string, object?>("code", KnownCodes.GetValueOrDefault(closeCode, OtherCode)));
    }

    internal void ErrorTold(string code)
    {
        _errors.Add(1, new KeyValuePair<string, object?>("code", code));
        if (LimitOfCode.TryGetValue(code, out var limit))
        {
            LimitReached(limit);
        }
    }

    /// <summary>A session did not accept a question. Its own limits are known only from the outcome.</summary>
    internal void AskRefused(AskReply reply)
    {
        if (reply.ExceededQuota is AskQuota.OpenQuestions or AskQuota.Sessions)
        {
            LimitReached(reply.ExceededQuota == AskQuota.OpenQuestions ? LimitNames.OpenQuestions : LimitNames.Sessions);
        }
    }

    /// <param name="limit">One of <see cref="LimitNames"/>.</param>
    internal void LimitReached(string limit) => _limits.Add(1, new KeyValuePair<string, object?>("limit", limit));

    internal void MessageReceived() => Interlocked.Increment(ref _received);

    internal void MessageSent() => Interlocked.Increment(ref _sent);

    internal void SubscriptionRenewed() => _renewals.Add(1);

    internal void LogReread() => _rereads.Add(1);

    internal void SessionReattached() => _reattaches.Add(1);

    internal void FollowerFellBehind() => _behind.Add(1);
}
