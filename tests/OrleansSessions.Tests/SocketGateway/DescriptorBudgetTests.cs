using OrleansSessions.SocketGateway.Access;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class DescriptorBudgetTests
{
    [Theory]
    [InlineData(256, 1, 1)]
    [InlineData(512, 48, 48)]
    [InlineData(1024, 494, 98)]
    [InlineData(4096, 2974, 594)]
    [InlineData(20_000, 15_000, 3_975)]
    [InlineData(1_048_576, 15_000, 1_000_408)]
    public void Sockets_AndOtherConnections_FitIntoTheLimitBesideTheProcessItself(int limit, int sockets, int plain)
    {
        var budget = new DescriptorBudget(limit, maxConnections: 15_000);

        Assert.Equal((sockets, plain), (budget.Sockets, budget.PlainConnections));
        Assert.True(budget.Sockets + budget.PlainConnections < budget.Accepted, "A refused connection needs a place until it is closed.");
        Assert.True(limit < 512 || budget.Accepted + 400 <= limit);
    }

    [Fact]
    public void WithoutALimit_AsManySocketsAsConfigured() =>
        Assert.Equal((15_000, null), (new DescriptorBudget(null, 15_000).Sockets, new DescriptorBudget(null, 15_000).PlainConnections));
}
