using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Servers;

/// <summary>One server in a process of its own, for all the tests of a class.</summary>
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

    /// <summary>A v1 socket that has seen its <c>hello</c>.</summary>
    public async Task<CheckedSocket> OpenAsync(string session)
    {
        var socket = await ConnectAsync(session);
        await socket.ExpectAsync("hello");
        return socket;
    }

    public Task<CheckedSocket> OpenBasicAsync(string session) => CheckedSocket.ConnectAsync(Server.Socket(session), Protocol.WireProfile.Basic);

    public ReferenceClient Client(string session) => new(query => Server.Socket(session, query));
}

/// <summary>As a stranger starts it, but with shorter pauses in the answers.</summary>
public sealed class EchoServerFixture() : ServerFixture("Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00.01");

/// <summary>Answers nothing by itself: each test answers, so each test decides when.</summary>
public sealed class ExternalServerFixture() : ServerFixture("Responder:Name=external", "Sessions:MaxQueuedQuestions=2", "Sessions:MaxAnswerBytes=2000");

/// <summary>Short of patience: limits and times so small that a test can break them.</summary>
public sealed class StrictServerFixture() : ServerFixture(
    "Responder:Name=external", "SocketGateway:MaxBadRequests=3", "SocketGateway:MaxBusyRefusals=3", "SocketGateway:MessageTimeout=00:00:01",
    "SocketGateway:HeartbeatInterval=00:00:01.5", "SocketGateway:SendTimeout=00:00:01", "SocketGateway:CloseTimeout=00:00:00.5");
