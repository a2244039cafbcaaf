namespace OrleansSessions.Chaos.Results;

/// <summary>What broke the flow of a client.</summary>
internal enum Cause
{
    Kill,
    Freeze,
    Drain,
    Drop,
    Redis,
}

/// <summary>How long clients waited, by the fault that made them wait.</summary>
internal sealed class Recoveries
{
    private const string Several = "several faults at once";
    private const string WithoutSocket = "drain: v1 client without a socket";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<double>> _seconds = [];

    /// <summary>A client's socket was lost by this fault, and another one is live.</summary>
    public void AddSocket(Cause cause, TimeSpan time) => Add($"{Name(cause)}: socket live again", time);

    /// <summary>The process of a client's session was lost, and the next event of the open answer is there.</summary>
    public void AddAnswer(Cause cause, TimeSpan time) => Add($"{Name(cause)}: next event of the answer", time);

    /// <summary>A client's socket was lost, and what it did to come back was broken, too, before it had succeeded.</summary>
    public void AddSeveral(TimeSpan time) => Add(Several, time);

    /// <summary>How long a v1 client had no socket while its node was drained.</summary>
    public void AddWithoutSocket(TimeSpan time) => Add(WithoutSocket, time);

    public IReadOnlyList<Waits> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _seconds.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => Waits.Of(entry.Key, entry.Value))];
            }
        }
    }

    /// <summary>All waits after one fault, but those for the store, which is away for as long as the plan says.</summary>
    public Waits Whole
    {
        get
        {
            lock (_gate)
            {
                return Waits.Of("one fault, not of Redis", _seconds.Where(IsRecovery).SelectMany(entry => entry.Value));
            }
        }
    }

    private static bool IsRecovery(KeyValuePair<string, List<double>> entry) =>
        entry.Key is not (WithoutSocket or Several) && !entry.Key.StartsWith(Name(Cause.Redis), StringComparison.Ordinal);

    private static string Name(Cause cause) => cause switch
    {
        Cause.Kill => "kill",
        Cause.Freeze => "freeze",
        Cause.Drain => "drain",
        Cause.Drop => "drop",
        _ => "redis",
    };

    private void Add(string name, TimeSpan time)
    {
        lock (_gate)
        {
            if (!_seconds.TryGetValue(name, out var times))
            {
                _seconds[name] = times = [];
            }

            times.Add(time.TotalSeconds);
        }
    }
}

/// <summary>Waits of one kind, in seconds. Percentiles are values that occurred.</summary>
internal sealed record Waits(string Name, int Count, double P50, double P99, double Max)
{
    public static Waits Of(string name, IEnumerable<double> seconds)
    {
        var sorted = seconds.Order().ToArray();
        return sorted.Length == 0 ? new(name, 0, 0, 0, 0) : new(name, sorted.Length, At(sorted, 0.5), At(sorted, 0.99), sorted[^1]);
    }

    private static double At(double[] sorted, double share) => sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * share) - 1)];
}
