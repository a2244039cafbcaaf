using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using OrleansSessions.Gateways;

namespace OrleansSessions.Grains.Gateways;

/// <summary>Keeps leases in memory, by the monotonic clock. A new activation knows no socket gateway, so its list is not settled until one lease has passed.</summary>
[GrainType("orleanssessions.socketgateways"), KeepAlive, PreferLocalPlacement]
internal sealed partial class SocketGatewayRegistryGrain(
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time, ILogger<SocketGatewayRegistryGrain> logger)
    : Grain, ISocketGatewayRegistryGrain
{
    private readonly Dictionary<string, (SocketGatewayEntry Entry, long RenewedAt)> _leases = [];
    private readonly Dictionary<SiloAddress, long> _draining = [];
    private readonly long _activatedAt = time.GetTimestamp();

    public Task RenewAsync(RenewRequest request)
    {
        if (!_leases.ContainsKey(request.Gateway))
        {
            LogMessages.Joined(logger, request.Gateway, request.Host);
        }

        _leases[request.Gateway] = (new() { Gateway = request.Gateway, Host = request.Host }, time.GetTimestamp());
        return Task.CompletedTask;
    }

    public Task LeaveAsync(LeaveRequest request)
    {
        if (_leases.Remove(request.Gateway))
        {
            LogMessages.Left(logger, request.Gateway);
        }

        return Task.CompletedTask;
    }

    public Task<SocketGatewayList> ListAsync(ListRequest request)
    {
        var now = time.GetTimestamp();
        foreach (var (gateway, lease) in _leases)
        {
            if (time.GetElapsedTime(lease.RenewedAt, now) > SocketGatewayRegistry.Lease)
            {
                _leases.Remove(gateway);
                LogMessages.Expired(logger, gateway);
            }
        }

        if (request is { IsDraining: true, Silo: { } silo })
        {
            _draining[silo] = now;
        }

        foreach (var (gone, _) in _draining.Where(drain => time.GetElapsedTime(drain.Value, now) > SocketGatewayRegistry.Lease))
        {
            _draining.Remove(gone);
        }

        return Task.FromResult(new SocketGatewayList
        {
            Entries = [.. _leases.Values.Select(lease => lease.Entry)],
            Draining = [.. _draining.Keys],
            IsSettled = time.GetElapsedTime(_activatedAt, now) >= SocketGatewayRegistry.Lease,
        });
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "Socket gateway {Gateway} joined (silo in its process: {Host})")]
        public static partial void Joined(ILogger logger, string gateway, SiloAddress? host);

        [LoggerMessage(2, LogLevel.Information, "Socket gateway {Gateway} left")]
        public static partial void Left(ILogger logger, string gateway);

        [LoggerMessage(3, LogLevel.Warning, "Socket gateway {Gateway} did not renew its lease and is taken off the list")]
        public static partial void Expired(ILogger logger, string gateway);
    }
}
