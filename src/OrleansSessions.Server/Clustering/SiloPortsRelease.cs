namespace OrleansSessions.Server.Clustering;

/// <summary>Releases the ports immediately before the silo listens on them.</summary>
internal sealed class SiloPortsRelease(SiloPorts ports) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        ports.Dispose();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
