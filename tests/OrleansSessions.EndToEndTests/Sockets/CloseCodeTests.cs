using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Sockets;

/// <summary>All close codes, by name.</summary>
public sealed class CloseCodeTests(StrictServerFixture server) : IClassFixture<StrictServerFixture>
{
    [Fact]
    public async Task Normal_AnswersAClientThatLeaves()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        await socket.CloseAsync();

        Assert.Equal(CloseCodes.Normal, (await socket.EndAsync()).Code);
    }

    [Fact]
    public async Task UnsupportedData_ClosesOnABinaryMessage()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        await socket.SendRawAsync("{}"u8.ToArray(), WebSocketMessageType.Binary);

        Assert.Equal(CloseCodes.UnsupportedData, (await socket.EndAsync()).Code);
    }

    [Fact]
    public Task InvalidPayload_ClosesOnTextThatIsNotUtf8() => EndsWithAsync(CloseCodes.InvalidPayload, [0x81, 0x84, 0, 0, 0, 0, 0x22, 0xC3, 0x28, 0x22]);

    [Fact]
    public Task ProtocolError_ClosesOnAnUnmaskedFrame() =>
        EndsWithAsync(CloseCodes.ProtocolError, [0x81, 0x08, 0x7B, 0x7D, 0x7B, 0x7D, 0x7B, 0x7D, 0x7B, 0x7D]);

    [Fact]
    public Task ProtocolError_ClosesOnAReservedBit() => EndsWithAsync(CloseCodes.ProtocolError, [0xC1, 0x82, 0, 0, 0, 0, 0x7B, 0x7D, 0, 0]);

    [Fact]
    public async Task MessageTooBig_SendsAnErrorAndCloses()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        await socket.SendRawAsync(new byte[64 * 1024 + 1].Select(_ => (byte)' ').ToArray());

        await socket.ExpectErrorAsync(WireErrors.MessageTooLarge);
        Assert.Equal(CloseCodes.MessageTooBig, (await socket.EndAsync()).Code);
    }

    [Fact]
    public async Task PolicyViolation_ClosesOnAMessageThatIsNeverFinished()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        await socket.SendRawAsync("{"u8.ToArray(), isLast: false);

        Assert.Equal(CloseCodes.PolicyViolation, (await socket.EndAsync()).Code);
    }

    [Fact]
    public async Task PolicyViolation_ClosesOnTooManyFragments()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        for (var fragment = 0; fragment <= 1000; fragment++)
        {
            await socket.SendRawAsync(" "u8.ToArray(), isLast: false);
        }

        Assert.Equal(CloseCodes.PolicyViolation, (await socket.EndAsync()).Code);
    }

    [Fact]
    public async Task BadProtocol_ClosesAfterManyBadMessagesInARow()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        for (var strike = 0; strike < 3; strike++)
        {
            await socket.SendRawAsync("nonsense"u8.ToArray());
            await socket.ExpectErrorAsync(WireErrors.BadRequest);
        }

        Assert.Equal(CloseCodes.BadProtocol, (await socket.EndAsync()).Code);
    }

    [Fact]
    public async Task RateLimited_ClosesAfterManyRefusedQuestionsInARow()
    {
        await using var socket = await server.OpenAsync(Names.Session());
        await socket.AskAsync("never answered");
        await socket.ExpectAsync("accepted");

        for (var strike = 0; strike < 3; strike++)
        {
            await socket.AskAsync("again");
            await socket.ExpectErrorAsync(WireErrors.SessionBusy);
        }

        Assert.Equal(CloseCodes.RateLimited, (await socket.EndAsync()).Code);
    }

    [Fact]
    public async Task MissedHeartbeat_ClosesASilentClientAfterItsPings()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        await socket.ExpectAsync("ping");

        Assert.Equal(CloseCodes.MissedHeartbeat, (await socket.EndAsync()).Code);
    }

    [Fact]
    public async Task AClientThatOnlyReads_IsPingedInTheMiddleOfAnAnswer()
    {
        var session = Names.Session();
        await using var socket = await server.OpenAsync(session);
        await socket.AskAsync("a long story", "q");
        await socket.UntilAsync("accepted");
        using var heard = new CancellationTokenSource();
        var answering = AnswerUntilAsync(session, heard.Token);

        await socket.UntilAsync("ping");

        await heard.CancelAsync();
        await answering;
    }

    // Pieces come much faster than heartbeats, so the server is never silent.
    private async Task AnswerUntilAsync(string session, CancellationToken end)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        for (var offset = 0; !end.IsCancellationRequested; offset++)
        {
            await server.Http.AnswerAsync(session, "q", offset, ".");
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task SlowConsumer_CutsAClientThatDoesNotRead()
    {
        var session = Names.Session();
        using var handler = new SocketsHttpHandler { ConnectCallback = ConnectNarrowAsync };
        using var invoker = new HttpMessageInvoker(handler);
        using var deaf = new ClientWebSocket();
        deaf.Options.AddSubProtocol(CheckedSocket.V1);
        await deaf.ConnectAsync(server.Server.Socket(session), invoker, CancellationToken.None);
        var text = new string('x', 900_000);
        for (var answer = 0; answer < 12; answer++)
        {
            var id = $"q-{answer}";
            await server.Http.AskAsync(session, $$"""{"id":"{{id}}","question":"more"}""");
            await server.Http.RespondAsync(session, text, id);
        }

        await Eventually.TrueAsync(
            async () => (await server.Http.GetStringAsync("/metrics")).Split('\n')
                .Any(line => line.StartsWith("sessions_gateway_connection_closes_total", StringComparison.Ordinal) && line.Contains("\"4002\"", StringComparison.Ordinal)),
            "the metric of closes counts one with 4002");
    }

    [Fact]
    public async Task SessionRemoved_EndsTheQuestionAndClosesEverySocketOfTheSession()
    {
        var session = Names.Session();
        await using var first = await server.OpenAsync(session);
        await using var second = await server.OpenAsync(session);
        await first.AskAsync("never answered", "q-1");
        await first.ExpectAsync("accepted");

        await server.Http.CallAsync(HttpMethod.Delete, $"/v1/sessions/{session}");

        foreach (var socket in new[] { first, second })
        {
            var done = await socket.UntilAsync("done");
            Assert.Equal(("cancelled", DoneReasons.SessionRemoved), (done.Text("status"), done.Text("reason")));
            Assert.Equal(CloseCodes.SessionRemoved, (await socket.EndAsync()).Code);
        }

        await using var again = await server.ConnectAsync(session);
        Assert.Equal(0, (await again.ExpectAsync("hello")).Number("seq"));
    }

    [Fact]
    public async Task UnsupportedProtocol_IsSentToAPageOnTheSocketAndToOthersOverHttp()
    {
        var address = server.Server.Socket(Names.Session());
        await using var page = await CheckedSocket.ConnectAsync(address, configure: options =>
        {
            options.AddSubProtocol("sessions.v9.json");
            options.SetRequestHeader("Origin", server.Server.Address.GetLeftPart(UriPartial.Authority));
        });
        await page.ExpectErrorAsync(WireErrors.UnsupportedProtocol);
        Assert.Equal(CloseCodes.UnsupportedProtocol, (await page.EndAsync()).Code);

        await IsRefusedAsync(address, HttpStatusCode.BadRequest, options => options.AddSubProtocol("sessions.v9.json"));
        await IsRefusedAsync(server.Server.Socket(Names.Session(), "v=9"), HttpStatusCode.BadRequest, _ => { });
    }

    [Fact]
    public Task ForeignOrigin_IsRefusedOverHttp() =>
        IsRefusedAsync(server.Server.Socket(Names.Session()), HttpStatusCode.Forbidden, options => options.SetRequestHeader("Origin", "https://elsewhere.example"));

    [Theory]
    [InlineData("no%20spaces")]
    [InlineData("%C3%A4")]
    [InlineData("a%2Fb")]
    public Task BadSessionId_IsRefusedOverHttp(string id) =>
        IsRefusedAsync(new Uri($"ws://{server.Server.Address.Authority}/ws/{id}"), HttpStatusCode.BadRequest, _ => { });

    [Fact]
    public async Task ConnectionLimitAndDraining_TellAPageToComeBack()
    {
        await using var full = await ServerProcess.StartAsync("SocketGateway:MaxConnections=1");
        await using var only = await CheckedSocket.ConnectAsync(full.Socket("s"));
        await only.ExpectAsync("hello");

        await using var page = await CheckedSocket.ConnectAsync(full.Socket("s"), configure: options =>
        {
            options.AddSubProtocol(CheckedSocket.V1);
            options.SetRequestHeader("Origin", full.Address.GetLeftPart(UriPartial.Authority));
        });
        Assert.True((await page.ExpectErrorAsync(WireErrors.ConnectionLimit)).Number("retry_after_ms") > 0);
        Assert.Equal(CloseCodes.ConnectionLimit, (await page.EndAsync()).Code);
        await IsRefusedAsync(full.Socket("s"), HttpStatusCode.TooManyRequests, _ => { });

        Assert.Equal(0, await full.StopAsync());
        Assert.Equal(CloseCodes.Draining, (await only.EndAsync()).Code);
    }

    private async Task EndsWithAsync(int code, byte[] brokenFrame) =>
        Assert.Equal(code, await RawSocket.CloseCodeAfterAsync(server.Server.Socket(Names.Session(), "v=1"), brokenFrame));

    private static async Task IsRefusedAsync(Uri address, HttpStatusCode status, Action<ClientWebSocketOptions> configure)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        configure(socket.Options);
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(address, CancellationToken.None));
        Assert.Equal(status, socket.HttpStatusCode);
    }

    /// <summary>Opens a connection with small system buffers, so that a client that does not read is noticed soon.</summary>
    private static async ValueTask<Stream> ConnectNarrowAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
