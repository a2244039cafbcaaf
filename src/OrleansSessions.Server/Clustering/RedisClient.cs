using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>
/// The settings of the Redis client where the connection string says nothing else. A command that gets no reply must fail well before the call of a grain does
/// (<see cref="FailureTimes"/>), and a server that is back must be found soon.
/// </summary>
internal static class RedisClient
{
    /// <summary>How long a command may take, also while there is no connection, and how long the attempt at a connection may.</summary>
    private const int TimeoutMs = 2_000;

    private const int ReconnectMs = 500;

    // How often the client looks at its connections. It tries to connect again only then.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(500);

    public static ConfigurationOptions Parse(string connection)
    {
        var options = ConfigurationOptions.Parse(connection);
        if (!Says(connection, "asyncTimeout") && !Says(connection, "syncTimeout"))
        {
            options.AsyncTimeout = options.SyncTimeout = TimeoutMs;
        }

        if (!Says(connection, "connectTimeout"))
        {
            options.ConnectTimeout = TimeoutMs;
        }

        options.ReconnectRetryPolicy = new LinearRetry(ReconnectMs);
        options.HeartbeatInterval = Heartbeat;
        return options;
    }

    private static bool Says(string connection, string setting) => connection.Split(',').Any(
        part => part.Split('=', 2) is [var name, _] && name.Trim().Equals(setting, StringComparison.OrdinalIgnoreCase));
}
