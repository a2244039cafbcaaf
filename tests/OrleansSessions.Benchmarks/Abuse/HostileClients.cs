using System.Globalization;
using System.Net.Sockets;

namespace OrleansSessions.Benchmarks.Abuse;

/// <summary>The process of the hostile clients. A client whose connection has ended starts again, so that their number stays the same.</summary>
internal static class HostileClients
{
    public const string Command = "hostile";

    /// <summary>What the limits in docs/security.md let through from 20 addresses.</summary>
    private const int ConnectionsPerSecond = 400;

    /// <summary>How long a client waits before it connects again. Half of 2,000 are closed soon, so this keeps to the same rate.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2.5);

    /// <param name="args">The address of the server, the number of clients, and the seconds after which the process ends.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var server = new Uri(args[0]);
        var count = int.Parse(args[1], CultureInfo.InvariantCulture);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(int.Parse(args[2], CultureInfo.InvariantCulture)));
        await Task.WhenAll(Enumerable.Range(0, count).Select(slot => BeHostileAsync(server, slot, stop.Token)));
        return ExitCodes.AllAnswersRight;
    }

    private static async Task BeHostileAsync(Uri server, int slot, CancellationToken stop)
    {
        var (_, run) = HostileKinds.All[slot % HostileKinds.All.Count];
        await Task.Delay(TimeSpan.FromSeconds((double)slot / ConnectionsPerSecond), TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await run(server, $"hostile-{slot}", stop);
            }
            catch (Exception fault) when (fault is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // The server has ended the connection, or the time is over.
            }

            await Task.Delay(Pause, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
