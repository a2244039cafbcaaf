using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders;

/// <summary>Connections that the upstream closes between two questions, at every moment.</summary>
public sealed class OpenAIConnectionTests : IAsyncLifetime
{
    private const string Whole = """{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]}""";
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private RawUpstream _upstream = null!;
    private OpenAIResponder _responder = null!;
    private int _asked;

    public async ValueTask InitializeAsync()
    {
        _deadline.CancelAfter(TimeSpan.FromSeconds(20));
        _upstream = await RawUpstream.StartAsync();
        _responder = new OpenAIResponder(
            Options.Create(new OpenAIOptions { Endpoint = _upstream.Endpoint, Model = "m" }), TimeProvider.System, NullLogger<OpenAIResponder>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _responder.Dispose();
        await _upstream.DisposeAsync();
        _deadline.Dispose();
    }

    [Fact]
    public async Task TwoQuestions_ShareAConnection()
    {
        await AskAsync();
        var second = await AskAsync();

        Assert.Equal((1, 2), (second.ConnectionNumber, second.RequestNumber));
    }

    [Theory]
    [InlineData(RawCloseMoment.AtArrival, false)]
    [InlineData(RawCloseMoment.AtArrival, true)]
    [InlineData(RawCloseMoment.AfterRequest, false)]
    [InlineData(RawCloseMoment.AfterRequest, true)]
    public async Task AConnectionThatTheUpstreamCloses_AsTheNextQuestionArrives_IsReplacedOnce(RawCloseMoment moment, bool isReset)
    {
        await AskAsync();
        var closed = _upstream.CloseOnNextRequest(moment, isReset);

        var again = await AskAsync();

        await closed.WaitAsync(_deadline.Token);
        Assert.Equal((2, 1), (again.ConnectionNumber, again.RequestNumber));
        Assert.Equal(2, _upstream.ConnectionsAccepted);
    }

    [Fact]
    public async Task IdleConnections_ThatTheUpstreamHasClosed_AreNotUsed()
    {
        await AskAsync();
        Assert.Equal(1, _upstream.CloseIdleConnections());

        var second = await AskAsync();

        Assert.Equal(2, second.ConnectionNumber);
    }

    [Fact]
    public async Task AQuestion_WhoseSecondTryFailsToo_IsUnavailable()
    {
        await AskAsync();
        var closed = _upstream.CloseOnNextRequest(RawCloseMoment.AtArrival, isReset: true);
        var answer = StartAsync();
        await closed.WaitAsync(_deadline.Token);
        (await _upstream.NextAsync(_deadline.Token)).Reset();

        var failure = await Assert.ThrowsAsync<ResponderException>(() => answer);

        Assert.Equal((DoneReasons.ResponderUnavailable, true), (failure.Reason, failure.IsRetryable));
        Assert.Equal(2, _upstream.RequestsReceived);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ANewConnection_ThatIsClosedBeforeAByte_IsNotTriedAgain(bool isReset)
    {
        var answer = StartAsync();
        var exchange = await _upstream.NextAsync(_deadline.Token);
        Close(exchange, isReset);

        var failure = await Assert.ThrowsAsync<ResponderException>(() => answer);

        Assert.Equal((DoneReasons.ResponderUnavailable, true), (failure.Reason, failure.IsRetryable));
        Assert.Equal(1, _upstream.RequestsReceived);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnAnswer_ThatHasBegunOnAUsedConnection_IsNotAskedForAgain(bool isReset)
    {
        await AskAsync();
        var answer = StartAsync();
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.SendHeadAsync(200, ("Content-Type", "text/event-stream"), RawFraming.Chunked);
        Close(exchange, isReset);

        var failure = await Assert.ThrowsAsync<ResponderException>(() => answer);

        // A reset can take the head with it, before it was read.
        Assert.Contains(failure.Reason, new[] { DoneReasons.ResponderCut, DoneReasons.ResponderUnavailable });
        Assert.True(failure.IsRetryable);
    }

    private static void Close(RawExchange exchange, bool isReset)
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

    private async Task<RawExchange> AskAsync()
    {
        var answer = StartAsync();
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.AnswerAsync(200, "application/json", Whole);
        Assert.Contains(AnswerPiece.Of("ok"), await answer);
        return exchange;
    }

    private Task<List<AnswerPiece>> StartAsync()
    {
        var context = new ResponderContext { SessionKey = "/s", QuestionId = $"q-{++_asked}", Question = "hi" };
        return _responder.AnswerAsync(context, _deadline.Token).ToListAsync(_deadline.Token).AsTask();
    }
}
