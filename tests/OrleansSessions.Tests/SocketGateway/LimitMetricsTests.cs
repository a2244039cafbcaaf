using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Telemetry;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class LimitMetricsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly List<string?> _limits = [];
    private readonly MeterListener _listener = new();
    private readonly SocketGatewayMetrics _metrics;

    public LimitMetricsTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters) && instrument.Name == "sessions.gateway.limit.refusals")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) => _limits.Add((string?)tags[0].Value));
        _listener.Start();
        _metrics = _services.GetRequiredService<SocketGatewayMetrics>();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void ErrorOfOneLimit_CountsThatLimit_AndOtherErrorsCountNone()
    {
        foreach (var error in WireErrors.All)
        {
            _metrics.ErrorTold(error.Code);
        }

        Assert.Equal(
            [LimitNames.Connections, LimitNames.MessageBytes, LimitNames.QuestionBytes, LimitNames.Queue], _limits.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void QuestionThatExceedsAQuota_CountsThatQuota()
    {
        foreach (var quota in Enum.GetValues<AskQuota>())
        {
            _metrics.AskRefused(new() { QuestionId = "q", ExceededQuota = quota });
        }

        Assert.Equal([LimitNames.OpenQuestions, LimitNames.Sessions], _limits);
    }
}
