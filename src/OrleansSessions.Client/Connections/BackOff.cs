namespace OrleansSessions.Client.Connections;

/// <summary>How long to wait before connecting again: full jitter, whose upper bound doubles with each attempt.</summary>
internal sealed class BackOff(Func<double> random)
{
    private const int MaxDoublings = 30;
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(10);
    private int _attempt;

    public TimeSpan Min { get; set; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan Max { get; set; } = TimeSpan.FromSeconds(15);

    /// <param name="openFor">How long the connection was open. One that was open for 10 seconds starts the doubling again.</param>
    /// <param name="advised">What the server said: the least wait.</param>
    public TimeSpan Next(TimeSpan openFor, TimeSpan? advised)
    {
        if (openFor >= Steady)
        {
            _attempt = 0;
        }

        var bound = Math.Min(Max.TotalMilliseconds, Min.TotalMilliseconds * Math.Pow(2, Math.Min(_attempt++, MaxDoublings)));
        return TimeSpan.FromMilliseconds(Math.Max(random() * bound, advised?.TotalMilliseconds ?? 0));
    }
}
