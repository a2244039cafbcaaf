using System.Runtime.InteropServices;
using OrleansSessions.Clustering;

namespace OrleansSessions.Server.Hosting;

/// <summary>
/// Ends the drain with the second signal to stop. The host itself takes the first one, and ignores those that follow. It takes SIGTERM, SIGINT (Ctrl+C) and SIGQUIT.
/// </summary>
internal sealed partial class StopSignals(Drain drain, ILogger<StopSignals> logger) : IHostedService, IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _count;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registrations.AddRange(
            new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal)));
        return Task.CompletedTask;
    }

    // They stay until the host is disposed of: the signals come while it stops.
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _registrations.ForEach(static registration => registration.Dispose());

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) == 2)
        {
            LogMessages.EndsNow(logger, context.Signal);
            drain.EndNow();
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "A second {Signal} has arrived: this process waits for no answer any more, and stops now.")]
        public static partial void EndsNow(ILogger logger, PosixSignal signal);
    }
}
