using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class SessionMetricsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<(string Instrument, long Value, string? Tag)> _read = [];
    private readonly MeterListener _listener = new();
    private readonly SessionMetrics _metrics;

    public SessionMetricsTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            _read.Add((instrument.Name, value, tags.Length == 0 ? null : (string?)tags[^1].Value)));
        _listener.Start();
        _metrics = new SessionMetrics(meters, TimeProvider.System);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Asked_CountsEachOutcomeUnderItsOwnName()
    {
        foreach (var outcome in Enum.GetValues<AskOutcome>())
        {
            _metrics.Asked(outcome);
        }

        _listener.RecordObservableInstruments();
        var asks = _read.Where(read => read.Instrument == "sessions.asks").ToList();
        Assert.All(asks, read => Assert.Equal(1, read.Value));
        Assert.Equal(["accepted", "duplicate", "busy", "queue_full", "conflict", "too_large", "empty", "bad_options"], asks.Select(read => read.Tag));
    }

    [Fact]
    public void Asked_WithAnOutcomeThatItDoesNotKnow_DoesNotThrow()
    {
        _metrics.Asked((AskOutcome)99);
        _metrics.Asked((AskOutcome)(-1));
    }

    [Fact]
    public void AReasonOfAHostsOwn_IsNoTag()
    {
        _metrics.QuestionEnded(new() { Status = QuestionStatus.Failed, Reason = "our_own_reason_17", TotalMs = 1 });
        _metrics.QuestionEnded(new() { Status = QuestionStatus.Failed, Reason = DoneReasons.ResponderError, TotalMs = 1 });

        Assert.Equal(["other", DoneReasons.ResponderError], _read.Where(read => read.Instrument == "sessions.questions").Select(read => read.Tag));
    }
}
