using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Tests.Faults;

/// <summary>A socket gateway whose clock a test moves.</summary>
public sealed record StandingHost(SocketHost Sockets, FakeTimeProvider Time) : IAsyncDisposable
{
    public string Id => Sockets.Services.GetRequiredService<SocketGatewayInstance>().Id;

    /// <summary>Moves the clock second by second, so that all that is due by then happens.</summary>
    public void Pass(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            Time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    public ValueTask DisposeAsync() => Sockets.DisposeAsync();
}
