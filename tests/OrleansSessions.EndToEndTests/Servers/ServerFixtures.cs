using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Servers;

/// <summary>One server in its own process, for all tests of a class.</summary>
public abstract class ServerFixture(params string[] settings) : IAsyncLifetime
{
    private ServerProcess? _server;

    public ServerProcess Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    public HttpClient Http => Server.Http;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync(settings);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    public Task<CheckedSocket> ConnectAsync(string session, string query = "") => CheckedSocket.ConnectAsync(Server.Socket(session, query));

    /// <summary>Opens a v1 socket and waits for its <c>hello</c>.</summary>
    public async Task<CheckedSocket> OpenAsync(string session)
    {
        var socket = await ConnectAsync(session);
        await socket.ExpectAsync("hello");
        return socket;
    }

    public Task<CheckedSocket> OpenBasicAsync(string session) => CheckedSocket.ConnectAsync(Server.Socket(session), Protocol.WireProfile.Basic);

    public ReferenceClient Client(string session) => new(query => Server.Socket(session, query));
}

/// <summary>A server with the default settings, except shorter pauses in the answers.</summary>
public sealed class EchoServerFixture() : ServerFixture("Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00.01");

/// <summary>A server that answers nothing by itself. Each test answers, so each test decides when.</summary>
public sealed class ExternalServerFixture() : ServerFixture("Responder:Name=external", "Sessions:MaxQueuedQuestions=2", "Sessions:MaxAnswerBytes=2000");

/// <summary>A server with limits and times that are so small that a test can exceed them.</summary>
public sealed class StrictServerFixture() : ServerFixture(
    "Responder:Name=external", "SocketGateway:MaxBadRequests=3", "SocketGateway:MaxBusyRefusals=3", "SocketGateway:MessageTimeout=00:00:01",
    "SocketGateway:HeartbeatInterval=00:00:01.5", "SocketGateway:SendTimeout=00:00:01", "SocketGateway:CloseTimeout=00:00:05");
