using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using OrleansSessions.Diagnostics;
using OrleansSessions.Gateways;

namespace OrleansSessions.Grains.Gateways;

/// <summary>
/// The socket gateways as this silo knows them, with an outbox each. Every second it asks the registry who lives,
/// sends each a heartbeat, and closes the outboxes of those that are gone.
/// </summary>
internal sealed partial class SocketGatewayOutboxes(
    IServiceProvider services, IGrainFactory grains, ILocalSiloDetails silo, IClusterMembershipService membership,
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time, ILogger<SocketGatewayOutboxes> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Also how long the first answer to a new socket gateway can be cold.</summary>
    private static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(1);

    /// <summary>How long one beat waits for the registry.</summary>
    private static readonly TimeSpan RegistryPatience = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<string, SocketGatewayOutbox> _outboxes = new();
    private readonly Lock _opening = new();
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private IStreamProvider? _streams;
    private Task _heart = Task.CompletedTask;
    private Task _refresh = Task.CompletedTask;
    private int _latestOrdinal;

    /// <summary>Ends with the first list of the registry that is known to be complete: one from a registry that has lived for a lease.</summary>
    public Task Complete => _complete.Task;

    /// <summary>The ordinal of the newest outbox. All up to it are among <see cref="Live"/>, unless they have been closed.</summary>
    public int LatestOrdinal => Volatile.Read(ref _latestOrdinal);

    /// <summary>Returns the outbox of a socket gateway, creating it if necessary. A grain call can name a socket gateway before the registry lists it.</summary>
    public SocketGatewayOutbox Get(string gateway) => _outboxes.TryGetValue(gateway, out var outbox) ? outbox : Open(gateway);

    public bool IsLive(string gateway) => _outboxes.ContainsKey(gateway);

    /// <summary>All that are known to live.</summary>
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

    private SocketGatewayOutbox Open(string gateway)
    {
        lock (_opening)
        {
            if (_outboxes.TryGetValue(gateway, out var opened))
            {
                return opened;
            }

            _streams ??= services.GetRequiredKeyedService<IStreamProvider>(GatewayStreams.ProviderName);
            var stream = _streams.GetStream<GatewayItem>(StreamId.Create(GatewayStreams.Namespace, gateway));
            var outbox = new SocketGatewayOutbox(gateway, _latestOrdinal + 1, silo.SiloAddress, stream, time.GetTimestamp());
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
                // The registry may live in a silo that is frozen, and its call then waits for half a minute: that must not stop the heart.
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
            var list = await grains.GetGrain<ISocketGatewayRegistryGrain>(0).ListAsync(new()).WaitAsync(_stopping.Token);
            Apply(list);
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
        }
        catch (Exception fault)
        {
            // The last list stays in force: an unreachable registry must not cut anybody off.
            LogMessages.RegistryUnreachable(logger, LoggedException.Of(fault));
        }
    }

    private void Apply(SocketGatewayList list)
    {
        foreach (var entry in list.Entries)
        {
            Get(entry.Gateway).Host = entry.Host;
        }

        if (!list.IsSettled)
        {
            return;
        }

        var listed = list.Entries.Select(entry => entry.Gateway).ToHashSet();
        foreach (var outbox in _outboxes.Values.Where(outbox => !listed.Contains(outbox.Gateway) && IsGone(outbox)))
        {
            Close(outbox);
        }

        _complete.TrySetResult();
    }

    /// <summary>Gives a socket gateway up. Should it come back, it gets a new outbox, whose numbers begin anew.</summary>
    internal void Close(SocketGatewayOutbox outbox)
    {
        outbox.IsClosed = true;
        _outboxes.TryRemove(outbox.Gateway, out _);
        LogMessages.Closed(logger, outbox.Gateway);
    }

    /// <summary>One that shares its process with a silo lives while membership has that silo; any other has had its lease.</summary>
    private bool IsGone(SocketGatewayOutbox outbox) =>
        outbox.Host is { } host
            ? membership.CurrentSnapshot.GetSiloStatus(host) is not SiloStatus.Active
            : time.GetElapsedTime(outbox.SeenAt) > SocketGatewayRegistry.Lease;

    private void SendHeartbeats()
    {
        var snapshot = membership.CurrentSnapshot;
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
            await outbox.SendHeartbeatAsync(version, active);
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
