using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>
/// An upstream closes idle connections when it likes, also at the moment at which the next question is sent. That question has not been seen, so it is
/// sent once more, on a new connection.
/// </summary>
public sealed class ReusedConnectionTests : UpstreamTest
{
    [Fact]
    public async Task Connection_IsReused()
    {
        await AnswerAsync();
        var second = await AnswerAsync();

        Assert.Equal((1, 2), (second.ConnectionNumber, second.RequestNumber));
    }

    [Fact]
    public async Task Connection_WithChunks_IsReused()
    {
        for (var number = 1; number <= 2; number++)
        {
            await using var answer = new AnswerReading(Responder);
            var exchange = await UntilNextAsync(answer);
            Assert.Equal((1, number), (exchange.ConnectionNumber, exchange.RequestNumber));

            // The end of the body is in the segment of the last event, as most servers send it.
            var events = Sse.Text("Hello") + Sse.Finish() + Sse.Done;
            await exchange.SendRawAsync(
                $"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n{events.Length:x}\r\n{events}\r\n0\r\n\r\n");
            await exchange.EndAsync();
            await answer.UntilEndAsync();
            Assert.True(answer is { Text: "Hello", Failure: null }, answer.Description);
        }
    }

    [Fact]
    public async Task IdleConnection_ThatIsClosed_IsReplaced()
    {
        await AnswerAsync();
        Assert.Equal(1, Upstream.CloseIdleConnections());

        await AnswerAsync();

        Assert.Equal(2, Upstream.ConnectionsAccepted);
    }

    [Theory]
    [InlineData(RawCloseMoment.AtArrival, false)]
    [InlineData(RawCloseMoment.AtArrival, true)]
    [InlineData(RawCloseMoment.AfterRequest, false)]
    [InlineData(RawCloseMoment.AfterRequest, true)]
    public async Task Request_ThatMeetsAClosedConnection_IsSentOnceMore(RawCloseMoment moment, bool isReset)
    {
        await AnswerAsync();
        var closed = Upstream.CloseOnNextRequest(moment, isReset);

        var exchange = await AnswerAsync();

        await closed.WaitAsync(Deadline);
        Assert.Equal((2, 1), (exchange.ConnectionNumber, exchange.RequestNumber));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_ThatFailsOnTheNewConnectionToo_IsNotSentAgain(bool isReset)
    {
        await AnswerAsync();
        _ = Upstream.CloseOnNextRequest(RawCloseMoment.AtArrival, isReset: true);
        await using var answer = new AnswerReading(Responder);
        Break(await UntilNextAsync(answer), isReset);

        await answer.UntilEndAsync();

        AssertUnavailable(answer);
        Assert.Equal((2, 2), (Upstream.ConnectionsAccepted, Upstream.RequestsReceived));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_ThatFailsOnANewConnection_IsNotSentAgain(bool isReset)
    {
        await using var answer = new AnswerReading(Responder);
        Break(await UntilNextAsync(answer), isReset);

        await answer.UntilEndAsync();

        AssertUnavailable(answer);
        Assert.Equal((1, 1), (Upstream.ConnectionsAccepted, Upstream.RequestsReceived));
    }

    [Fact]
    public async Task Request_WhoseResponseHasBegun_IsNotSentAgain()
    {
        await AnswerAsync();
        await using var answer = new AnswerReading(Responder);
        var exchange = await UntilNextAsync(answer);
        await exchange.SendRawAsync("HTTP/1.1 200 OK\r\nContent-Ty");
        exchange.Close();

        await answer.UntilEndAsync();

        AssertUnavailable(answer);
        Assert.Equal((1, 2), (Upstream.ConnectionsAccepted, Upstream.RequestsReceived));
    }

    private static void Break(RawExchange exchange, bool isReset)
    {
        if (isReset)
        {
            exchange.Reset();
        }
        else
        {
            exchange.Close();
        }
    }

    private static void AssertUnavailable(AnswerReading answer)
    {
        var failure = Assert.IsType<ResponderException>(answer.Failure);
        Assert.Equal((DoneReasons.ResponderUnavailable, true), (failure.Reason, failure.IsRetryable));
    }

    /// <summary>Asks, answers, and leaves the connection idle.</summary>
    private async Task<RawExchange> AnswerAsync()
    {
        await using var answer = new AnswerReading(Responder);
        var exchange = await UntilNextAsync(answer);
        await exchange.AnswerAsync(200, "text/event-stream", Sse.Text("Hello") + Sse.Finish() + Sse.Done);
        await answer.UntilEndAsync();
        Assert.True(answer is { Text: "Hello", Failure: null }, answer.Description);
        return exchange;
    }
}
