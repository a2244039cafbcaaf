namespace OrleansSessions.Benchmarks.Results;

/// <summary>One figure of one server in one round.</summary>
internal sealed record Measurement(Figure Figure, string Server, int Round, double Value);

/// <summary>Everything a run has measured.</summary>
internal sealed class Measurements
{
    private readonly List<Measurement> _all = [];

    public IReadOnlyList<Measurement> All => _all;

    /// <summary>The figures in the order in which they were first measured.</summary>
    public IEnumerable<Figure> Figures => _all.Select(one => one.Figure).Distinct();

    public void Add(Figure figure, string server, int round, double value) => _all.Add(new Measurement(figure, server, round, value));

    public double? Median(Figure figure, string server) => MedianOf(Of(figure, server).Select(one => one.Value));

    /// <summary>The median of the ratios within each round: what slows the machine for a while slows both and drops out.</summary>
    public double? Ratio(Figure figure, string server, string reference)
    {
        var references = Of(figure, reference).ToDictionary(one => one.Round, one => one.Value);
        return MedianOf(
            Of(figure, server)
                .Where(one => references.TryGetValue(one.Round, out var value) && value > 0)
                .Select(one => one.Value / references[one.Round]));
    }

    private IEnumerable<Measurement> Of(Figure figure, string server) =>
        _all.Where(one => one.Figure == figure && one.Server == server);

    private static double? MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length switch
        {
            0 => null,
            var odd when odd % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2,
        };
    }
}
