using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using OrleansSessions.Diagnostics;
using OrleansSessions.Gateways;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Gateways;

/// <summary>
/// The socket gateways that this silo knows, with an outbox for each. Every second this class asks the registry which socket gateways are alive,
/// sends each of them a heartbeat, and closes the outboxes of those that are gone.
/// </summary>
internal sealed partial class SocketGatewayOutboxes(
    IServiceProvider services, IGrainFactory grains, ClusterView cluster, StoreHealth store,
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time, ILogger<SocketGatewayOutboxes> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>A new socket gateway learns of this silo within this time.</summary>
    private static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(1);

    /// <summary>How long one heartbeat waits for the registry.</summary>
    private static readonly TimeSpan RegistryPatience = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<string, SocketGatewayOutbox> _outboxes = new();
    private readonly Lock _creating = new();
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private IStreamProvider? _streams;
    private Task _heart = Task.CompletedTask;
    private Task _refresh = Task.CompletedTask;
    private int _latestOrdinal;

    // Above the numbers of all closed outboxes. A socket gateway that returns sees a hole at once, whichever of the items is the first to arrive: it must
    // attach its sessions again, because nothing was sent to it in between.
    private long _numberAfterClosed;

    /// <summary>Completes with the first list that is known to be complete. Such a list comes from a registry that has been active for one lease.</summary>
    public Task Complete => _complete.Task;

    /// <summary>The ordinal of the newest outbox. All outboxes up to it are in <see cref="Live"/>, unless they have been closed.</summary>
    public int LatestOrdinal => Volatile.Read(ref _latestOrdinal);

    /// <summary>Returns the outbox of a socket gateway, creating it if necessary. A grain call can name a socket gateway before the registry lists it.</summary>
    public SocketGatewayOutbox Get(string gateway) => _outboxes.TryGetValue(gateway, out var outbox) ? outbox : Create(gateway);

    public bool IsLive(string gateway) => _outboxes.ContainsKey(gateway);

    /// <summary>The outboxes of all socket gateways that are known to be alive.</summary>
    public IEnumerable<SocketGatewayOutbox> Live => _outboxes.Values;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(SocketGatewayOutboxes), ServiceLifecycleStage.Active,
        _ =>
        {
            _heart = Task.Run(BeatAsync, CancellationToken.None);
            return Task.CompletedTask;
        },
        async _ =>
        {
            await _stopping.CancelAsync();
            await _heart;
        });

    private SocketGatewayOutbox Create(string gateway)
    {
        lock (_creating)
        {
            if (_outboxes.TryGetValue(gateway, out var created))
            {
                return created;
            }

            _streams ??= services.GetRequiredKeyedService<IStreamProvider>(GatewayStreams.ProviderName);
            var stream = _streams.GetStream<GatewayItem>(StreamId.Create(GatewayStreams.Namespace, gateway));
            var outbox = new SocketGatewayOutbox(gateway, _latestOrdinal + 1, cluster.Local, stream, time.GetTimestamp(), _numberAfterClosed);
            _outboxes[gateway] = outbox;
            Volatile.Write(ref _latestOrdinal, outbox.Ordinal);
            return outbox;
        }
    }

    private async Task BeatAsync()
    {
        using var timer = new PeriodicTimer(HeartbeatPeriod, time);
        try
        {
            do
            {
                // The registry may be on a silo that is frozen. A call to it then waits for half a minute, and heartbeats must not wait for that.
                _refresh = _refresh.IsCompleted ? RefreshAsync() : _refresh;
                await Task.WhenAny(_refresh, Task.Delay(RegistryPatience, time, _stopping.Token));
                SendHeartbeats();
            }
            while (await timer.WaitForNextTickAsync(_stopping.Token));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    private async Task RefreshAsync()
    {
        try
        {
            var list = await grains.GetGrain<ISocketGatewayRegistryGrain>(0)
                .ListAsync(new() { Silo = cluster.Local, IsDraining = cluster.IsDraining }).WaitAsync(_stopping.Token);
            cluster.NoteDraining(list.Draining);
            Apply(list);
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
        }
        catch (Exception fault)
        {
            // The last list stays in force, because an unreachable registry must not cut off any socket gateway.
            LogMessages.RegistryUnreachable(logger, LoggedException.Of(fault));
        }
    }

    private void Apply(SocketGatewayList list)
    {
        // The registry lists a socket gateway until its lease ends, but its process ends with its silo.
        var listed = list.Entries.Where(entry => !IsDead(entry.Host)).ToDictionary(entry => entry.Gateway, entry => entry.Host);
        foreach (var (gateway, host) in listed)
        {
            Get(gateway).Host = host;
        }

        foreach (var outbox in _outboxes.Values)
        {
            if (IsDead(outbox.Host) || (list.IsSettled && !listed.ContainsKey(outbox.Gateway) && IsGone(outbox)))
            {
                Close(outbox);
            }
        }

        if (list.IsSettled)
        {
            _complete.TrySetResult();
        }
    }

    /// <summary>Closes the outbox of a socket gateway. If the gateway returns, it gets a new outbox, whose numbers are higher than those of this one.</summary>
    internal void Close(SocketGatewayOutbox outbox)
    {
        lock (_creating)
        {
            _numberAfterClosed = Math.Max(_numberAfterClosed, outbox.Close() + 1);
            _outboxes.TryRemove(outbox.Gateway, out _);
        }

        LogMessages.Closed(logger, outbox.Gateway);
    }

    private bool IsDead(SiloAddress? host) => host is not null && cluster.Members.GetSiloStatus(host) is SiloStatus.Dead;

    /// <summary>A gateway hosted in a silo's process is alive while that silo is active. Any other gateway that the registry no longer lists is gone once a lease has passed.</summary>
    private bool IsGone(SocketGatewayOutbox outbox) =>
        outbox.Host is { } host
            ? cluster.Members.GetSiloStatus(host) is not SiloStatus.Active
            : time.GetElapsedTime(outbox.SeenAt) > SocketGatewayRegistry.Lease;

    private void SendHeartbeats()
    {
        var snapshot = cluster.Members;
        var active = snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)
            .ToArray();
        foreach (var outbox in _outboxes.Values)
        {
            SendHeartbeatAsync(outbox, snapshot.Version.Value, active).Ignore();
        }
    }

    private async Task SendHeartbeatAsync(SocketGatewayOutbox outbox, long version, SiloAddress[] active)
    {
        try
        {
            await outbox.SendHeartbeatAsync(version, active, store.IsAway);
        }
        catch (Exception fault)
        {
            LogMessages.HeartbeatLost(logger, outbox.Gateway, LoggedException.Of(fault));
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "The registry of socket gateways could not be asked; the last list stays in force")]
        public static partial void RegistryUnreachable(ILogger logger, LoggedException fault);

        [LoggerMessage(2, LogLevel.Information, "Socket gateway {Gateway} is gone; nothing is sent to it any more")]
        public static partial void Closed(ILogger logger, string gateway);

        [LoggerMessage(3, LogLevel.Warning, "A heartbeat to socket gateway {Gateway} was not taken")]
        public static partial void HeartbeatLost(ILogger logger, string gateway, LoggedException fault);
    }
}
