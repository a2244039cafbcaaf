namespace OrleansSessions.Benchmarks.Results;

/// <summary>One figure of one server in one round.</summary>
internal sealed record Measurement(Figure Figure, string Server, int Round, double Value);

/// <summary>All measurements of a run.</summary>
internal sealed class Measurements
{
    private readonly List<Measurement> _all = [];

    public IReadOnlyList<Measurement> All => _all;

    /// <summary>The figures in the order in which they were first measured.</summary>
    public IEnumerable<Figure> Figures => _all.Select(one => one.Figure).Distinct();

    public void Add(Figure figure, string server, int round, double value) => _all.Add(new Measurement(figure, server, round, value));

    public double? Median(Figure figure, string server) => MedianOf(Of(figure, server).Select(one => one.Value));

    /// <summary>Returns the median of the ratios within each round. A temporary slowdown of the machine affects both servers and cancels out.</summary>
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
