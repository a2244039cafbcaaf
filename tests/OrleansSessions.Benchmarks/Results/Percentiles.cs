namespace OrleansSessions.Benchmarks.Results;

/// <summary>Percentiles of single values, where there are too few for a histogram.</summary>
internal static class Percentiles
{
    /// <summary>The smallest value that is at least as large as this share of all values. Not interpolated, so it is a value that occurred.</summary>
    public static double Of(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * share) - 1)];
    }
}
