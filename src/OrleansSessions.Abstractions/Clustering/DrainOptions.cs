namespace OrleansSessions.Clustering;

/// <summary>How long a process may take to leave in order. In a host of your own configure it in code; the server has <c>Server:DrainTimeout</c>.</summary>
public sealed class DrainOptions
{
    /// <summary>
    /// How long what is under way may take to finish, before it is saved and goes on in another process. Default 20 s, which together with
    /// <see cref="StopTime"/> fits into the time that orchestrators grant with little configuration. Zero: everything leaves at once.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>What a host needs after the drain: the web server, the streams, the silo and its entry in the membership table. 15 s.</summary>
    public static TimeSpan StopTime => TimeSpan.FromSeconds(15);
}
