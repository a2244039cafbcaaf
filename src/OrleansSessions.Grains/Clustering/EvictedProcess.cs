using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansSessions.Clustering;
using OrleansSessions.Diagnostics;

namespace OrleansSessions.Grains.Clustering;

/// <summary>Ends the process of an evicted silo, so that its supervisor starts it again.</summary>
internal sealed partial class EvictedProcess(
    ClusterEviction eviction, ILocalSiloDetails silo, [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time,
    ILogger<EvictedProcess> logger, IHostApplicationLifetime? host = null)
{
    /// <summary>How long the ends of questions have to reach their sockets before the host stops.</summary>
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private int _isEnding;

    /// <summary>Evicts the silo, and stops the host a moment later. The first reason counts, because several can be found at the same time.</summary>
    public async Task EndAsync(string reason, Exception? fault, CancellationToken stopping)
    {
        if (Interlocked.Exchange(ref _isEnding, 1) != 0)
        {
            return;
        }

        LogMessages.Ending(logger, silo.SiloAddress, reason, fault is null ? null : LoggedException.Of(fault));
        Environment.ExitCode = ClusterEviction.ExitCode;
        try
        {
            await eviction.EvictAsync();
        }
        catch (Exception callbackFault)
        {
            // A host's own callback failed. The others were called, and the host must stop in any case.
            LogMessages.CallbackFailed(logger, LoggedException.Of(callbackFault));
        }

        await Task.Delay(FarewellTime, time, stopping);
        host?.StopApplication();
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "A callback of the eviction failed")]
        public static partial void CallbackFailed(ILogger logger, LoggedException fault);

        [LoggerMessage(2, LogLevel.Critical, "Silo {Silo} accepts nothing more and stops. {Reason}")]
        public static partial void Ending(ILogger logger, SiloAddress silo, string reason, LoggedException? fault);
    }
}
