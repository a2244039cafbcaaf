using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using OrleansSessions.Clustering;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Clustering;

/// <summary>
/// Reads the membership table for itself, because Orleans does not notice a table that has lost this silo's row: the silo would go on with its
/// sessions while silos that start later form another cluster and hold the same ones. Also keeps a second silo out where sessions live in one
/// silo's memory.
/// </summary>
internal sealed partial class MembershipWatch(
    IMembershipTable table, ILocalSiloDetails silo, SessionServices sessions, ClusterEviction eviction, IOptions<ClusterMembershipOptions> options,
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time, ILogger<MembershipWatch> logger, IHostApplicationLifetime? host = null)
    : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Two reads without the silo's row, this far apart, are an eviction. With the sum of both it bounds how long two silos can hold a session.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>How long the ends of questions have to reach their sockets before the host is told to stop.</summary>
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private Task _watch = Task.CompletedTask;

    public void Participate(ISiloLifecycle observer)
    {
        observer.Subscribe(nameof(MembershipWatch) + ".Refuse", ServiceLifecycleStage.ApplicationServices, RefuseSecondSiloAsync);
        observer.Subscribe(nameof(MembershipWatch), ServiceLifecycleStage.Active, StartAsync, StopAsync);
    }

    /// <summary>Before this silo is active, any other that is wins.</summary>
    private async Task RefuseSecondSiloAsync(CancellationToken cancellationToken)
    {
        if (!sessions.IsStored && SingleSiloRule.FindOther(silo.SiloAddress, await table.ReadAllAsync(cancellationToken), options.Value, UtcNow) is { } other)
        {
            throw new OrleansConfigurationException(SecondSilo(other));
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        // Of silos that start together neither has seen the other active before; the elder one stays.
        if (!sessions.IsStored && FindElder(await table.ReadAllAsync(cancellationToken)) is { } elder)
        {
            throw new OrleansConfigurationException(SecondSilo(elder));
        }

        _watch = Task.Run(WatchAsync, CancellationToken.None);
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _watch;
    }

    private async Task WatchAsync()
    {
        try
        {
            var rule = new EvictionRule(silo.SiloAddress);
            while (true)
            {
                await Task.Delay(Period, time, _stopping.Token);
                if (await TryReadAsync() is not { } read)
                {
                    continue;
                }

                if (rule.Judge(read))
                {
                    LogMessages.Evicted(logger, silo.SiloAddress, rule.StatusOf(read)?.ToString() ?? "missing", read.Members.Count);
                    await EvictAsync();
                    return;
                }

                if (FindElder(read) is { } elder)
                {
                    LogMessages.SecondSilo(logger, silo.SiloAddress, SecondSilo(elder));
                    await EvictAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>Null where the store cannot be reached: that says nothing about this silo.</summary>
    private async Task<MembershipTableData?> TryReadAsync()
    {
        try
        {
            return await ReadAsync();
        }
        catch (Exception) when (!_stopping.IsCancellationRequested)
        {
            return await TryRecreateAsync();
        }
    }

    /// <summary>
    /// A provider may fail on a table that is gone just as on a store that is away; Redis does. Only of a store that is there the table can be
    /// created, as every silo that starts would do.
    /// </summary>
    private async Task<MembershipTableData?> TryRecreateAsync()
    {
        try
        {
            await table.InitializeMembershipTableAsync(tryInitTableVersion: true, _stopping.Token).WaitAsync(_stopping.Token);
            return await ReadAsync();
        }
        catch (Exception fault) when (!_stopping.IsCancellationRequested)
        {
            LogMessages.NotRead(logger, fault.GetType().Name);
            return null;
        }
    }

    private Task<MembershipTableData> ReadAsync() => table.ReadAllAsync(_stopping.Token).WaitAsync(_stopping.Token);

    private async Task EvictAsync()
    {
        Environment.ExitCode = ClusterEviction.ExitCode;
        try
        {
            await eviction.EvictAsync();
        }
        catch (Exception fault)
        {
            // A host's own callback failed. The others were called, and the host must stop in any case.
            LogMessages.CallbackFailed(logger, LoggedException.Of(fault));
        }

        await Task.Delay(FarewellTime, time, _stopping.Token);
        host?.StopApplication();
    }

    private DateTime UtcNow => time.GetUtcNow().UtcDateTime;

    private SiloAddress? FindElder(MembershipTableData read) =>
        sessions.IsStored ? null : SingleSiloRule.FindElder(silo.SiloAddress, read, options.Value, UtcNow);

    private string SecondSilo(SiloAddress other) =>
        $"Sessions:Persistence is {sessions.Options.Persistence}, and sessions live in the memory of one silo, but {other} is an active silo of cluster "
        + $"'{silo.ClusterId}' already. Give the host a grain storage named '{SessionsOptions.StorageName}' and set Sessions:Persistence to Auto or Stored, "
        + "or run one silo.";

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Critical, "Silo {Silo} is {Status} in the membership table of its cluster, which has {Rows} rows. It accepts nothing more, ends its running questions and stops")]
        public static partial void Evicted(ILogger logger, SiloAddress silo, string status, int rows);

        [LoggerMessage(2, LogLevel.Critical, "Silo {Silo} stops. {Reason}")]
        public static partial void SecondSilo(ILogger logger, SiloAddress silo, string reason);

        [LoggerMessage(3, LogLevel.Warning, "The membership table could not be read ({Fault}); nothing is concluded from that")]
        public static partial void NotRead(ILogger logger, string fault);

        [LoggerMessage(4, LogLevel.Error, "A callback of the eviction failed")]
        public static partial void CallbackFailed(ILogger logger, LoggedException fault);
    }
}
