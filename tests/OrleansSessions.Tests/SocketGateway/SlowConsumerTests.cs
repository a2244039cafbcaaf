using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Sockets;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>
/// Clients that stop reading, on real connections, or in memory where the buffers between both sides must be small. Time passes only where a test says so.
/// Another socket of the same session is still answered completely.
/// </summary>
public sealed class SlowConsumerTests(GatewayFixture gateway) : IAsyncLifetime
{
    // More than the operating system takes for a client that does not read, which is usually 4 MB.
    private const int Answers = 12;
    private const int Pieces = 28;
    private const int PieceChars = 32 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _session = GatewayFixture.NewSession();
    private readonly FakeTimeProvider _clock = new();
    private readonly MeterListener _listener = new();
    private SocketHost? _host;
    private long _behind;

    private SocketHost Host => _host!;

    public async ValueTask InitializeAsync()
    {
        await gateway.StartAsync();
        _host = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, configureHost: host => host.Services.AddSingleton<TimeProvider>(_clock));
        var meters = Host.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters) && instrument.Name == "sessions.gateway.followers.behind")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _behind, value));
        _listener.Start();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await Host.DisposeAsync();
    }

    [Fact]
    public async Task AClientThatStopsReading_IsClosedWith4002_AndHoldsUpNoOne()
    {
        await using var deaf = await Host.ConnectV1Async(_session);
        await deaf.NextAsync("hello");
        await using var reader = await TwoGatewaysFixture.ConnectAsync(Host, _session);
        await FillTheBuffersAsync(reader);
        await PassTimeUntilAsync(() => Sockets.Any(static socket => socket.IsClosing), "one socket is a slow consumer");
        await AskAsync(reader, "after");

        // What was already sent can still be read, and the close frame follows it.
        Assert.Equal(CloseCodes.SlowConsumer, await deaf.ClosedAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task AClientThatNeverReadsAgain_IsCutAfterCloseTimeout()
    {
        await using var deaf = await Host.ConnectV1Async(_session);
        await deaf.NextAsync("hello");
        await using var reader = await TwoGatewaysFixture.ConnectAsync(Host, _session);
        await FillTheBuffersAsync(reader);

        var metrics = Host.Services.GetRequiredService<SocketGatewayMetrics>();
        await PassTimeUntilAsync(() => metrics.ActiveConnections == 1, "only the socket that reads is left");
        await AskAsync(reader, "after");
    }

    [Fact]
    public async Task AClientThatFallsBehind_InOneAnswer_MissesNothingOfIt()
    {
        using var sockets = new MemorySockets();
        var (_, running) = Serve(sockets, WireProfile.V1);
        Assert.Equal("hello", (await NextAsync(sockets.Client)).Type());
        await using var reader = await TwoGatewaysFixture.ConnectAsync(Host, _session);
        var asked = await AskAsync(reader, "long");
        await FallsBehindAsync();

        var (text, seq) = (new StringBuilder(), 0L);
        JsonElement frame;
        do
        {
            frame = await NextAsync(sockets.Client);
            Assert.Equal(seq + 1, frame.Number("from_seq") ?? frame.Number("seq"));
            seq = frame.Number("seq")!.Value;
            text.Append(frame.Text("text"));
        }
        while (frame.Type() != "done");
        Assert.Equal(asked.Answer.ToString(), text.ToString());
        await LeaveAsync(sockets, running);
    }

    [Fact]
    public async Task AClientThatIsBehindALogThatNoLongerHasItsPlace_GoesOnFromASnapshot()
    {
        using var sockets = new MemorySockets();
        var (_, running) = Serve(sockets, WireProfile.V1);
        Assert.Equal("hello", (await NextAsync(sockets.Client)).Type());
        await using var reader = await TwoGatewaysFixture.ConnectAsync(Host, _session);

        // The session keeps the last answer, and forgets earlier ones of this size.
        await AskAsync(reader, "first");
        await AskAsync(reader, "second");
        var last = await AskAsync(reader, "last");

        JsonElement frame;
        do
        {
            frame = await NextAsync(sockets.Client);
        }
        while (frame.Type() != "resumed");
        Assert.Equal((false, "trimmed"), (frame.Flag("recovered"), frame.Text("reason")));
        var text = new StringBuilder();
        do
        {
            frame = await NextAsync(sockets.Client);
            Assert.Equal("snapshot", frame.Type());
            text.Append(frame.Text("text"));
        }
        while (frame.Number("part") != frame.Number("parts"));
        Assert.Equal(last.Answer.ToString(), text.ToString());
        await AskAsync(reader, "after");
        Assert.Equal("accepted", (await NextAsync(sockets.Client)).Type());
        sockets.Client.Abort();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task ABasicClientThatReadsLate_GetsEveryAnswerWhole_AndOnlyOneAtATimeWaitsForIt()
    {
        using var sockets = new MemorySockets();
        var (connection, running) = Serve(sockets, WireProfile.Basic);
        string[] questions = [$"basic 0 {_session}", $"basic 1 {_session}", $"basic 2 {_session}"];
        foreach (var question in questions)
        {
            await sockets.Client.SendAsync(
                JsonSerializer.SerializeToUtf8Bytes(new { question, if_busy = "queue" }), WebSocketMessageType.Text, true, CancellationToken.None);
        }

        await Eventually.TrueAsync(
            async () =>
            {
                using var reply = await Host.Http.GetAsync($"/v1/sessions/{_session}");
                return reply.IsSuccessStatusCode
                    && JsonSerializer.Deserialize<JsonElement>(await reply.Content.ReadAsStringAsync())
                        .GetProperty("open").GetArrayLength() == questions.Length;
            },
            "all questions are open");
        string[] answers = [.. questions.Select(Script)];
        await FallsBehindAsync();
        Assert.False(connection.IsClosing);

        foreach (var answer in answers)
        {
            var frame = await NextAsync(sockets.Client);
            Assert.Equal(("response", answer), (frame.Type(), frame.Text("data")));
        }

        await LeaveAsync(sockets, running);
    }

    private Follower[] Sockets =>
        Host.Services.GetRequiredService<FollowerRegistry>().TryFind("/" + _session, out var held) ? [.. held.All.Cast<Follower>()] : [];

    private (SocketConnection Connection, Task Running) Serve(MemorySockets sockets, WireProfile profile)
    {
        var connection = new SocketConnection(
            sockets.Server, new(SessionAccess.Own(CallerIdentity.Local), _session, profile, null), Host.Services.GetRequiredService<FollowerServices>());
        return (connection, connection.RunAsync());
    }

    private static async Task LeaveAsync(MemorySockets sockets, Task running)
    {
        await sockets.Client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await running.WaitAsync(Patience);
    }

    /// <summary>Waits until events of this test found no room in a queue, because items arrive at each follower in their own time.</summary>
    private Task FallsBehindAsync() => Eventually.TrueAsync(() => Volatile.Read(ref _behind) > 0, "a follower is behind");

    private Task PassTimeUntilAsync(Func<bool> condition, string expectation) => Eventually.TrueAsync(
        () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return condition();
        },
        expectation);

    /// <summary>Asks until the buffers of a connection that is not read are full, and its follower has left events in the log.</summary>
    private async Task FillTheBuffersAsync(ReferenceClient reader)
    {
        for (var asked = 0; asked < Answers; asked++)
        {
            await AskAsync(reader, $"number {asked}");
        }

        await FallsBehindAsync();
        Assert.DoesNotContain(Sockets, static socket => socket.IsClosing);
    }

    private async Task<ReferenceQuestion> AskAsync(ReferenceClient reader, string name)
    {
        var question = $"{name} {_session}";
        var answer = Script(question);
        var asked = await reader.AskAsync(question);
        await reader.PumpUntilDoneAsync(asked).WaitAsync(Patience);
        Assert.Equal(("completed", answer.Length), (asked.Status, asked.Answer.Length));
        return asked;
    }

    /// <summary>Prepares an answer of 900 KB.</summary>
    private string Script(string question)
    {
        var script = gateway.Cluster.Responder.For(question);
        var pieces = Enumerable.Range(0, Pieces).Select(i => new string((char)('A' + i), PieceChars)).ToArray();
        foreach (var piece in pieces)
        {
            script.Send(piece);
        }

        script.Finish();
        return string.Concat(pieces);
    }

    private static Task<JsonElement> NextAsync(WebSocket client) => MemorySockets.NextAsync(client, Patience);
}
