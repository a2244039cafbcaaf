using System.Net;
using System.Text;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.TestKit;

/// <summary>The raw upstream, seen by the HTTP client that the product uses.</summary>
public sealed class RawUpstreamTests : IAsyncLifetime
{
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly HttpClient _http = new(new SocketsHttpHandler { MaxResponseDrainSize = 0 });
    private RawUpstream _upstream = null!;

    public async ValueTask InitializeAsync()
    {
        _deadline.CancelAfter(TimeSpan.FromSeconds(20));
        _upstream = await RawUpstream.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _upstream.DisposeAsync();
        _deadline.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_IsReadWhole(bool isChunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{_upstream.Endpoint}/chat/completions?a=b")
        {
            Content = new StringContent("""{"model":"fäke"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("X-Two", ["1", "2"]);
        request.Headers.TransferEncodingChunked = isChunked;
        var answer = _http.SendAsync(request, _deadline.Token);

        var exchange = await _upstream.NextAsync(_deadline.Token);
        Assert.Equal(("POST", "/v1/chat/completions?a=b"), (exchange.Method, exchange.Target));
        Assert.Equal("1, 2", exchange.Headers["x-two"]);
        Assert.Equal("fäke", exchange.Json.GetProperty("model").GetString());
        Assert.Equal((1, 1), (exchange.ConnectionNumber, exchange.RequestNumber));

        await exchange.AnswerAsync(418, "text/plain", "héllo", ("Retry-After", "7"));
        using var response = await answer;
        Assert.Equal((418, "héllo"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(_deadline.Token)));
        Assert.Equal(TimeSpan.FromSeconds(7), response.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task Chunks_ArriveOneByOne_AndTheConnectionServesTheNextRequest()
    {
        for (var number = 1; number <= 3; number++)
        {
            var (response, exchange) = await StartAsync(RawFraming.Chunked);
            using (response)
            {
                Assert.Equal((1, number), (exchange.ConnectionNumber, exchange.RequestNumber));
                await using var body = await response.Content.ReadAsStreamAsync(_deadline.Token);
                foreach (var piece in new[] { "a", "bc", "def" })
                {
                    await exchange.SendChunkAsync(piece);
                    Assert.Equal(piece, await ReadAsync(body, piece.Length));
                }

                await exchange.EndAsync();
                Assert.Equal(0, await body.ReadAsync(new byte[1], _deadline.Token));
            }
        }

        Assert.Equal((1, 3), (_upstream.ConnectionsAccepted, _upstream.RequestsReceived));
    }

    [Fact]
    public async Task End_OfABodyUntilClose_ClosesTheConnection()
    {
        var (response, exchange) = await StartAsync(RawFraming.UntilClose);
        await exchange.SendBodyAsync("all");
        await exchange.EndAsync();

        Assert.Equal("all", await response.Content.ReadAsStringAsync(_deadline.Token));
        response.Dispose();
        (response, exchange) = await StartAsync(RawFraming.Length(0));
        response.Dispose();
        Assert.Equal(2, exchange.ConnectionNumber);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task End_InTheMiddleOfChunks_FailsTheClient(bool isReset)
    {
        var (response, exchange) = await StartAsync(RawFraming.Chunked);
        await using var body = await response.Content.ReadAsStreamAsync(_deadline.Token);
        await exchange.SendChunkAsync("abc");
        Assert.Equal("abc", await ReadAsync(body, 3));
        if (isReset)
        {
            exchange.Reset();
        }
        else
        {
            exchange.Close();
        }

        var failure = await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(body, 1));
        Assert.IsNotType<EndOfStreamException>(failure);
        response.Dispose();
        Assert.True(exchange.ClosedByClient.IsCanceled);
    }

    [Fact]
    public async Task Client_ThatLeaves_IsSeen()
    {
        var (response, exchange) = await StartAsync(RawFraming.Chunked);
        Assert.False(exchange.ClosedByClient.IsCompleted);

        response.Dispose();

        await exchange.ClosedByClient.WaitAsync(_deadline.Token);
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            // The first byte after the client has left can still be accepted by the system.
            while (true)
            {
                await exchange.SendChunkAsync("lost");
            }
        });
    }

    [Fact]
    public async Task IdleConnection_ThatIsClosed_IsNotUsedAgain()
    {
        (await AnswerAsync()).Dispose();

        Assert.Equal(1, _upstream.CloseIdleConnections());

        Assert.Equal(0, _upstream.CloseIdleConnections());
        (await AnswerAsync()).Dispose();
        Assert.Equal(2, _upstream.ConnectionsAccepted);
    }

    [Theory]
    [InlineData(RawCloseMoment.AtArrival, false, 1)]
    [InlineData(RawCloseMoment.AtArrival, true, 1)]
    [InlineData(RawCloseMoment.AfterRequest, false, 2)]
    [InlineData(RawCloseMoment.AfterRequest, true, 2)]
    public async Task NextRequest_OnAReusedConnection_IsDropped(RawCloseMoment moment, bool isReset, int received)
    {
        (await AnswerAsync()).Dispose();
        var closed = _upstream.CloseOnNextRequest(moment, isReset);

        // A request with a body is not sent a second time by the client itself, so that the test sees the drop.
        await Assert.ThrowsAsync<HttpRequestException>(() => _http.PostAsync(_upstream.Endpoint, new UnrepeatableContent(), _deadline.Token));

        await closed.WaitAsync(_deadline.Token);
        Assert.Equal(received, _upstream.RequestsReceived);
        (await AnswerAsync()).Dispose();
        Assert.Equal(2, _upstream.ConnectionsAccepted);
    }

    [Fact]
    public async Task Dispose_WithOpenExchanges_Ends()
    {
        var (response, exchange) = await StartAsync(RawFraming.Chunked);

        await _upstream.DisposeAsync().AsTask().WaitAsync(_deadline.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => exchange.ClosedByClient);
        response.Dispose();
    }

    private async Task<(HttpResponseMessage, RawExchange)> StartAsync((string, string) framing)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _upstream.Endpoint);
        var answer = _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _deadline.Token);
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.SendHeadAsync(200, ("Content-Type", "text/plain"), framing);
        return (await answer, exchange);
    }

    private async Task<HttpResponseMessage> AnswerAsync()
    {
        var answer = _http.GetAsync(_upstream.Endpoint, _deadline.Token);
        await (await _upstream.NextAsync(_deadline.Token)).AnswerAsync(200, "text/plain", "yes");
        return await answer;
    }

    private async Task<string> ReadAsync(Stream body, int count)
    {
        var bytes = new byte[count];
        await body.ReadExactlyAsync(bytes, _deadline.Token);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>A body that can be sent only once.</summary>
    private sealed class UnrepeatableContent : HttpContent
    {
        private bool _isSent;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            Assert.False(_isSent);
            _isSent = true;
            await stream.WriteAsync("{}"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 2;
            return true;
        }
    }
}
