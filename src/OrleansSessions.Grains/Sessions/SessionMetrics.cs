using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>The metrics of sessions, meter <c>OrleansSessions.Grains</c>. Counters that go up and down are observed, so that no change is lost before a listener is attached.</summary>
internal sealed class SessionMetrics
{
    public const string MeterName = "OrleansSessions.Grains";

    private static readonly AskOutcome[] AskOutcomes = Enum.GetValues<AskOutcome>();

    /// <summary>The reasons that may be a tag. A responder of the host may have reasons of its own, and a tag must have few values.</summary>
    private static readonly FrozenSet<string> Reasons = new[]
    {
        DoneReasons.ResponderUnavailable, DoneReasons.ResponderError, DoneReasons.ResponderRefused, DoneReasons.ResponderCut, DoneReasons.ResponderLost,
        DoneReasons.Length, DoneReasons.AnswerTooLarge, DoneReasons.TimeoutFirstDelta, DoneReasons.TimeoutIdle, DoneReasons.TimeoutTotal,
        DoneReasons.QueueTimeout, DoneReasons.Replaced, DoneReasons.SessionRemoved, DoneReasons.ByClient,
    }.ToFrozenSet(StringComparer.Ordinal);

    private readonly long[] _asks = new long[AskOutcomes.Length];
    private readonly Counter<long> _ended;
    private readonly Histogram<double> _firstDelta;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _tokens;
    private readonly ModelTags _models = new();
    private readonly ErrorRateWindow _errorRate;
    private long _active;
    private long _waiting;
    private long _queued;

    public SessionMetrics(IMeterFactory meters, [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
    {
        _errorRate = new ErrorRateWindow(time);
        var meter = meters.Create(MeterName);
        meter.CreateObservableUpDownCounter(
            "sessions.active", () => Interlocked.Read(ref _active), "{session}", "Sessions whose grain is active on this silo.");
        meter.CreateObservableUpDownCounter(
            "sessions.waiting", () => Interlocked.Read(ref _waiting), "{session}", "Sessions that wait for an answer.");
        meter.CreateObservableUpDownCounter(
            "sessions.queued", () => Interlocked.Read(ref _queued), "{question}", "Questions that wait for the one before them.");
        meter.CreateObservableGauge(
            "sessions.error.ratio", () => _errorRate.Read(), "1", "Failed and timed-out questions as a part of all that ended in the last minute.");
        meter.CreateObservableCounter("sessions.asks", ReadAsks, "{ask}", "Asks, by outcome.");
        _ended = meter.CreateCounter<long>("sessions.questions", "{question}", "Questions that ended, by status and reason.");
        _firstDelta = meter.CreateHistogram<double>("sessions.question.first_delta", "s", "From the start of a question to its first text.");
        _duration = meter.CreateHistogram<double>("sessions.question.duration", "s", "From the start of a question to its end: the processing time.");
        _tokens = meter.CreateCounter<long>(
            "sessions.tokens", "{token}", "Tokens that answers used, by model and type. cached_input is a part of input, and reasoning a part of output.");
    }

    public void SessionActivated() => Interlocked.Increment(ref _active);

    public void SessionDeactivated() => Interlocked.Decrement(ref _active);

    public void Asked(AskOutcome outcome)
    {
        var index = Array.IndexOf(AskOutcomes, outcome);
        if (index >= 0)
        {
            Interlocked.Increment(ref _asks[index]);
        }
    }

    /// <summary>A session's share of the waiting ones has changed.</summary>
    public void WaitingChanged(int sessions, int queued)
    {
        Interlocked.Add(ref _waiting, sessions);
        Interlocked.Add(ref _queued, queued);
    }

    /// <param name="usage">What its answer used, as far as it is known.</param>
    public void QuestionEnded(QuestionEnd end, AnswerUsage? usage)
    {
        var status = new KeyValuePair<string, object?>("status", end.Status.ToWire());
        _ended.Add(1, status, new KeyValuePair<string, object?>("reason", ReasonTag(end.Reason)));
        _duration.Record(end.TotalMs / 1000.0, status);
        if (end.FirstMs is { } firstMs)
        {
            _firstDelta.Record(firstMs / 1000.0);
        }

        _errorRate.Count(end.Status is QuestionStatus.Failed or QuestionStatus.Timeout);
        if (usage is not null)
        {
            CountTokens(usage);
        }
    }

    private void CountTokens(AnswerUsage usage)
    {
        ReadOnlySpan<(string Type, long? Count)> types =
        [
            ("input", usage.InputTokens), ("output", usage.OutputTokens), ("cached_input", usage.CachedInputTokens), ("reasoning", usage.ReasoningTokens),
        ];
        foreach (var (type, count) in types)
        {
            // A counter never goes down, whatever an upstream says.
            if (count is { } tokens and >= 0)
            {
                _tokens.Add(tokens, new("model", _models.TagOf(usage.Model)), new KeyValuePair<string, object?>("type", type));
            }
        }
    }

    private static string ReasonTag(string? reason) => reason is null ? "none" : Reasons.Contains(reason) ? reason : "other";

    private static string NameOf(AskOutcome outcome) => outcome switch
    {
        AskOutcome.Accepted => "accepted",
        AskOutcome.Duplicate => "duplicate",
        AskOutcome.Busy => "busy",
        AskOutcome.QueueFull => "queue_full",
        AskOutcome.Conflict => "conflict",
        AskOutcome.TooLarge => "too_large",
        AskOutcome.Empty => "empty",
        AskOutcome.BadOptions => "bad_options",
        AskOutcome.QuotaExceeded => "quota_exceeded",
        _ => "other",
    };

    private IEnumerable<Measurement<long>> ReadAsks() => AskOutcomes.Select((outcome, index) =>
        new Measurement<long>(Interlocked.Read(ref _asks[index]), new KeyValuePair<string, object?>("outcome", NameOf(outcome))));
}
