using OrleansSessions.Server.Clustering;
using OrleansSessions.Server.Configuration;

namespace OrleansSessions.Server.Hosting;

/// <summary>Runs the server, from its arguments to its exit code. Errors that the operator can fix are printed as one line, without a stack trace.</summary>
internal static class ServerRun
{
    private const int Failed = 1;
    private const int Misconfigured = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var app = ServerBuilder.Build(args);

            // Before the silo, which would write the fault into the log several times before it is reported here.
            await app.Services.OpenSessionFileAsync();
            await app.RunAsync();

            // Not 0 if the server ended itself, for example because its silo was evicted from its cluster.
            return Environment.ExitCode;
        }
        catch (ConfigurationErrorException exception)
        {
            await Console.Error.WriteLineAsync("The configuration is invalid:");
            foreach (var error in exception.Errors)
            {
                await Console.Error.WriteLineAsync($"  - {error}");
            }

            return Misconfigured;
        }
        catch (Exception exception) when (StartFault.Explain(exception) is { } reason)
        {
            await Console.Error.WriteLineAsync($"The server cannot start: {reason}");
            return Failed;
        }
    }
}
