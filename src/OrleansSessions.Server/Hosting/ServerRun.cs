using OrleansSessions.Server.Configuration;
using StackExchange.Redis;

namespace OrleansSessions.Server.Hosting;

/// <summary>One run of the server, from its arguments to its exit code. What its operator can mend is told in a line, not in a stack trace.</summary>
internal static class ServerRun
{
    private const int Failed = 1;
    private const int Misconfigured = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var app = ServerBuilder.Build(args);
            await app.RunAsync();

            // Not 0 where something inside ended the process: a silo that was evicted from its cluster.
            return Environment.ExitCode;
        }
        catch (ConfigurationErrorException exception)
        {
            await Console.Error.WriteLineAsync("The configuration cannot be used:");
            foreach (var error in exception.Errors)
            {
                await Console.Error.WriteLineAsync($"  - {error}");
            }

            return Misconfigured;
        }
        catch (Exception exception) when (Explain(exception) is { } reason)
        {
            await Console.Error.WriteLineAsync($"The server cannot start: {reason}");
            return Failed;
        }
    }

    private static string? Explain(Exception exception) => exception switch
    {
        RedisConnectionException => "Cluster:Redis names a server that cannot be reached.",
        IOException { InnerException: not null } => exception.Message,
        FormatException or OrleansConfigurationException => exception.Message,
        _ => null,
    };
}
