using System.Text.Json;

namespace OrleansSessions.Benchmarks.Results;

/// <summary>Writes every figure of a run, for comparisons of runs.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static async Task WriteAsync(string path, string settings, Measurements measurements, CancellationToken cancellationToken)
    {
        var report = new
        {
            settings,
            processors = Environment.ProcessorCount,
            runtime = Environment.Version.ToString(),
            measurements = measurements.All.Select(one => new
            {
                figure = one.Figure.Key,
                unit = one.Figure.Unit,
                server = one.Server,
                round = one.Round,
                value = Math.Round(one.Value, 3),
            }),
        };
        await using var file = File.Create(path);
        await JsonSerializer.SerializeAsync(file, report, Indented, cancellationToken);
    }
}
