using System.Diagnostics.Metrics;

namespace OrleansSessions.Streaming.Tests;

/// <summary>Sums the measurements of one provider by instrument.</summary>
internal sealed class MeterReading : IDisposable
{
    private readonly Dictionary<string, double> _sums = [];
    private readonly Lock _lock = new();
    private readonly MeterListener _listener = new();
    private readonly string _provider;

    public MeterReading(string provider)
    {
        _provider = provider;
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == "OrleansSessions.Streaming")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public double this[string instrument]
    {
        get
        {
            lock (_lock)
            {
                return _sums.GetValueOrDefault(instrument);
            }
        }
    }

    public double Observe(string instrument)
    {
        lock (_lock)
        {
            _sums.Remove(instrument);
        }

        _listener.RecordObservableInstruments();
        return this[instrument];
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags)
        {
            if (tag.Key == "push_streams.provider" && Equals(tag.Value, _provider))
            {
                lock (_lock)
                {
                    _sums[instrument.Name] = _sums.GetValueOrDefault(instrument.Name) + value;
                }
            }
        }
    }
}
