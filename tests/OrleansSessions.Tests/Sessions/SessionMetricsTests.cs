using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class SessionMetricsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<(string Instrument, long Value, string? Tag)> _read = [];
    private readonly List<(string? Model, string? Type, long Value)> _tokens = [];
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
        {
            _read.Add((instrument.Name, value, tags.Length == 0 ? null : (string?)tags[^1].Value));
            if (instrument.Name == "sessions.tokens")
            {
                Assert.Equal(("{token}", "model", "type"), (instrument.Unit, tags[0].Key, tags[1].Key));
                _tokens.Add(((string?)tags[0].Value, (string?)tags[1].Value, value));
            }
        });
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
        Assert.Equal(
            ["accepted", "duplicate", "busy", "queue_full", "conflict", "too_large", "empty", "bad_options", "quota_exceeded"], asks.Select(read => read.Tag));
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
        _metrics.QuestionEnded(new() { Status = QuestionStatus.Failed, Reason = "our_own_reason_17", TotalMs = 1 }, null);
        _metrics.QuestionEnded(new() { Status = QuestionStatus.Failed, Reason = DoneReasons.ResponderError, TotalMs = 1 }, null);

        Assert.Equal(["other", DoneReasons.ResponderError], _read.Where(read => read.Instrument == "sessions.questions").Select(read => read.Tag));
    }

    [Fact]
    public void Tokens_AreCountedByModelAndType_AndOnlyThoseThatAreKnown()
    {
        End(new("big") { InputTokens = 1200, OutputTokens = 80, CachedInputTokens = 1000, ReasoningTokens = 30 });
        End(new("small") { InputTokens = 7, OutputTokens = -1 });
        End(new("silent"));
        End(null);

        Assert.Equal(
            [("big", "input", 1200), ("big", "output", 80), ("big", "cached_input", 1000), ("big", "reasoning", 30), ("small", "input", 7)],
            _tokens);
    }

    [Fact]
    public void ModelsBeyondTheFirstHundred_AreOther()
    {
        for (var i = 0; i < ModelTags.MaxModels + 20; i++)
        {
            End(new($"model-{i}") { InputTokens = 1 });
        }

        End(new("model-3") { InputTokens = 1 });

        Assert.Equal(20, _tokens.Count(read => read.Model == "other"));
        Assert.Equal(ModelTags.MaxModels + 1, _tokens.Select(read => read.Model).Distinct().Count());
        Assert.Equal("model-3", _tokens[^1].Model);
    }

    private void End(AnswerUsage? usage) => _metrics.QuestionEnded(new() { Status = QuestionStatus.Completed, TotalMs = 1 }, usage);
}
