using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Clustering;

namespace OrleansSessions.Grains.Clustering;

/// <summary>
/// Watches the membership table, because Orleans does not notice a table that has lost this silo's row: the silo would go on with its
/// sessions while silos that start later form another cluster and hold the same ones. Also keeps a second silo out where sessions live in one
/// silo's memory.
/// </summary>
internal sealed class MembershipWatch(
    MembershipReader table, SingleSiloGuard guard, EvictedProcess process, SiloStanding standing, ILocalSiloDetails silo,
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time)
    : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Two reads without the silo's row, this far apart, are an eviction. With the sum of both it bounds how long two silos can hold a session.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private Task _watch = Task.CompletedTask;

    public void Participate(ISiloLifecycle observer)
    {
        observer.Subscribe(nameof(MembershipWatch) + ".Refuse", ServiceLifecycleStage.ApplicationServices, RefuseSecondSiloAsync);
        observer.Subscribe(nameof(MembershipWatch), ServiceLifecycleStage.Active, StartAsync, StopAsync);
    }

    /// <summary>Before this silo is active, any other that is active wins.</summary>
    private async Task RefuseSecondSiloAsync(CancellationToken cancellationToken)
    {
        if (guard.IsNeeded && guard.FindOther(await table.ReadAsync(cancellationToken)) is { } reason)
        {
            throw new OrleansConfigurationException(reason);
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        // Of silos that start together neither has seen the other active before; the elder one stays.
        if (guard.IsNeeded && guard.FindElder(await table.ReadAsync(cancellationToken)) is { } reason)
        {
            throw new OrleansConfigurationException(reason);
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
            await process.EndAsync(await FindReasonToStopAsync(), fault: null, _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>Reads the table again and again, until it shows that this silo is evicted or is a second one.</summary>
    private async Task<string> FindReasonToStopAsync()
    {
        var rule = new EvictionRule(silo.SiloAddress);
        while (true)
        {
            await Task.WhenAny(Task.Delay(Period, time, _stopping.Token), standing.Wanted);
            _stopping.Token.ThrowIfCancellationRequested();
            var startedAt = time.GetTimestamp();
            if (await table.TryReadAsync(_stopping.Token) is { } read)
            {
                if (rule.Judge(read))
                {
                    return rule.Describe(read);
                }

                if (guard.FindElder(read) is { } reason)
                {
                    return reason;
                }
            }

            standing.Confirm(startedAt);
        }
    }
}
