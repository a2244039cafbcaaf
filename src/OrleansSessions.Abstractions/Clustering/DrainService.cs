using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Clustering;

/// <summary>
/// Runs the drain before anything else of the host stops: the web server, the streams, the silo. A host calls <see cref="StoppingAsync"/> after
/// <see cref="IHostApplicationLifetime.ApplicationStopping"/> and before it stops its services.
/// </summary>
internal sealed partial class DrainService(
    Drain drain, IEnumerable<IDrainStep> steps, IOptions<DrainOptions> options, ClusterEviction eviction,
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time, ILogger<DrainService> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // 1. Nothing new is taken from here on.
        await drain.BeginAsync();
        var startedAt = time.GetTimestamp();
        if (eviction.IsEvicted)
        {
            drain.EndNow();
        }

        // 2. Each part leaves by itself until the time is over, the operator has no patience, or the host gives up.
        using var overdue = new CancellationTokenSource(options.Value.Timeout, time);
        using var endWhenOverdue = overdue.Token.Register(drain.EndNow);
        using var endWithHost = cancellationToken.Register(drain.EndNow);
        await Task.WhenAll(steps.Select(step => step.DrainAsync(drain.Ending)));

        // 3. What came in while one part had ended and another had not leaves at once, and no request waits for an answer any more: the web server waits for its
        // requests.
        drain.EndNow();
        await Task.WhenAll(steps.Select(step => step.DrainAsync(drain.Ending)));
        LogMessages.Drained(logger, time.GetElapsedTime(startedAt));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "This process has been drained after {Time}.")]
        public static partial void Drained(ILogger logger, TimeSpan time);
    }
}
