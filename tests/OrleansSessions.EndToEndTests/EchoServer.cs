using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests;

/// <summary>The real server in its own process. It echoes a word every 30 ms and advises clients to reconnect at once.</summary>
public sealed class EchoServer : IAsyncLifetime
{
    private ServerProcess? _server;

    public Uri Address => _server!.Address;

    public string SocketUrl(string session) => _server!.Socket(session).AbsoluteUri.TrimEnd('?');

    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync(
        "Responder:Name=echo", "Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00.030",
        "SocketGateway:ReconnectMin=00:00:00.010", "SocketGateway:ReconnectMax=00:00:00.050");

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
