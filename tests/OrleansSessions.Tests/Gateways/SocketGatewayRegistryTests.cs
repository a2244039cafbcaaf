using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Gateways;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Gateways;

public sealed class SocketGatewayRegistryTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly SocketGatewayRegistryGrain _registry;

    public SocketGatewayRegistryTests() => _registry = new(_clock, NullLogger<SocketGatewayRegistryGrain>.Instance);

    [Fact]
    public async Task ALease_ThatIsNotRenewed_Ends()
    {
        await _registry.RenewAsync("kept");
        await _registry.RenewAsync("lost");
        _clock.Advance(SocketGatewayRegistry.Lease * 0.9);
        await _registry.RenewAsync("kept");
        Assert.Equal(2, (await _registry.ListAsync()).Entries.Length);
        _clock.Advance(SocketGatewayRegistry.Lease * 0.2);

        Assert.Equal("kept", Assert.Single((await _registry.ListAsync()).Entries).Gateway);
    }

    [Fact]
    public async Task AFreshRegistry_IsNotSettled_UntilOneLeaseHasPassed()
    {
        _clock.Advance(SocketGatewayRegistry.Lease * 0.9);
        Assert.False((await _registry.ListAsync()).IsSettled);
        _clock.Advance(SocketGatewayRegistry.Lease * 0.2);
        Assert.True((await _registry.ListAsync()).IsSettled);
    }

    [Fact]
    public async Task OneThatLeaves_IsOffTheListAtOnce()
    {
        await _registry.RenewAsync("g");
        await _registry.LeaveAsync("g");
        await _registry.LeaveAsync("g");
        Assert.Empty((await _registry.ListAsync()).Entries);
    }
}
