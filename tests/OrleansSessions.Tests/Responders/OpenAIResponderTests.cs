using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Upstream;
using OrleansSessions.Tests.Responders.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders;

public sealed class OpenAIResponderTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private FakeOpenAIServer _upstream = null!;
    private OpenAIResponder _responder = null!;

    public async ValueTask InitializeAsync()
    {
        _deadline.CancelAfter(Patience);
        _upstream = await FakeOpenAIServer.StartAsync();
        _responder = Create(_upstream.Endpoint);
    }

    public async ValueTask DisposeAsync()
    {
        _responder.Dispose();
        await _upstream.DisposeAsync();
        _deadline.Dispose();
    }

    [Fact]
    public async Task Answer_WhileTheUpstreamStillSends_PassesEachPieceOn()
    {
        await using var pieces = Start("hi");
        var first = pieces.MoveNextAsync();
        var exchange = await _upstream.NextAsync(_deadline.Token);

        await exchange.SendAsync("Hel");
        Assert.True(await first);
        Assert.Equal("Hel", pieces.Current.Text);

        var second = pieces.MoveNextAsync();
        Assert.False(second.IsCompleted);
        await exchange.SendAsync("lo \U0001F600");
        Assert.True(await second);
        Assert.Equal("lo \U0001F600", pieces.Current.Text);

        await exchange.FinishAsync();
        while (await pieces.MoveNextAsync())
        {
            Assert.Equal(AnswerPiece.Alive, pieces.Current);
        }
    }

    [Fact]
    public async Task Answer_WithHistoryAndSystemPrompt_SendsThemInOrder()
    {
        using var responder = Create(_upstream.Endpoint, options =>
        {
            options.SystemPrompt = "Be brief.";
            options.ApiKey = "sk-1";
            options.MaxOutputTokens = 7;
            options.Temperature = 0.5f;
        });
        var context = new ResponderContext
        {
            SessionKey = "/s",
            QuestionId = "q",
            Question = "and then?",
            History = [new AnsweredQuestion("first?", "One."), new AnsweredQuestion("second?", "")],
        };
        var answer = ReadAllAsync(responder, context);
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.AnswerAsync("Two.");

        Assert.Equal("Two.", string.Concat((await answer).Select(piece => piece.Text)));
        Assert.Equal(
            [("system", "Be brief."), ("user", "first?"), ("assistant", "One."), ("user", "and then?")], exchange.Messages);
        Assert.Equal("fake", exchange.Request.GetProperty("model").GetString());
        Assert.True(exchange.Request.GetProperty("stream").GetBoolean());
        Assert.Equal(7, exchange.Request.GetProperty("max_completion_tokens").GetInt32());
        Assert.Equal(0.5, exchange.Request.GetProperty("temperature").GetDouble());
        Assert.Equal("Bearer sk-1", exchange.Authorization);
    }

    [Fact]
    public async Task Answer_WithoutAKey_AsksWithoutAuthorization()
    {
        var answer = ReadAllAsync(_responder, Ask("hi"));
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.AnswerAsync("yes");

        Assert.Equal("yes", string.Concat((await answer).Select(piece => piece.Text)));
        Assert.Null(exchange.Authorization);
    }

    [Fact]
    public async Task Cancel_WhileTheUpstreamIsSilent_ClosesItsConnectionAtOnce()
    {
        using var cancel = new CancellationTokenSource();
        await using var pieces = _responder.AnswerAsync(Ask("hi"), cancel.Token).GetAsyncEnumerator(cancel.Token);
        var first = pieces.MoveNextAsync();
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.SendAsync("Hel");
        Assert.True(await first);

        var second = pieces.MoveNextAsync();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await second);
        // Much less than the two seconds that draining the connection would take.
        await exchange.ClosedByClient.WaitAsync(TimeSpan.FromSeconds(1.5), TimeProvider.System, _deadline.Token);
    }

    [Fact]
    public async Task Cancel_BeforeTheFirstByte_ClosesItsConnectionAtOnce()
    {
        using var cancel = new CancellationTokenSource();
        var answer = ReadAllAsync(_responder, Ask("hi"), cancel.Token);
        var exchange = await _upstream.NextAsync(_deadline.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        await exchange.ClosedByClient.WaitAsync(TimeSpan.FromSeconds(1.5), TimeProvider.System, _deadline.Token);
    }

    [Fact]
    public async Task Dispose_BetweenTwoReads_ClosesTheConnectionAtOnce()
    {
        var pieces = Start("hi");
        var first = pieces.MoveNextAsync();
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.SendAsync("Hel");
        Assert.True(await first);

        await pieces.DisposeAsync();

        await exchange.ClosedByClient.WaitAsync(TimeSpan.FromSeconds(1.5), TimeProvider.System, _deadline.Token);
    }

    [Fact]
    public async Task Finish_ForLength_StopsShort()
    {
        var answer = ReadAllAsync(_responder, Ask("hi"));
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.SendAsync("Hel");
        await exchange.FinishAsync("length");

        var pieces = await answer;
        Assert.Equal("Hel", string.Concat(pieces.Select(piece => piece.Text)));
        Assert.Equal(DoneReasons.Length, pieces[^1].IncompleteReason);
    }

    [Fact]
    public Task Finish_ForContentFilter_IsRefused() =>
        AssertFailsAsync(exchange => exchange.FinishAsync("content_filter"), DoneReasons.ResponderRefused, isRetryable: false);

    [Fact]
    public Task Refusal_BesideTheText_IsRefused() => AssertFailsAsync(
        async exchange =>
        {
            await exchange.RefuseAsync("I cannot ");
            await exchange.RefuseAsync("do that.");
            await exchange.FinishAsync();
        },
        DoneReasons.ResponderRefused,
        isRetryable: false);

    [Fact]
    public Task End_WithoutFinishReason_IsCut() => AssertFailsAsync(
        async exchange =>
        {
            await exchange.SendAsync("Hel");
            exchange.EndEarly();
        },
        DoneReasons.ResponderCut,
        isRetryable: true);

    [Fact]
    public Task End_BeforeAnyEvent_IsCut() => AssertFailsAsync(
        async exchange =>
        {
            await exchange.SendEventAsync("[DONE]");
            exchange.EndEarly();
        },
        DoneReasons.ResponderCut,
        isRetryable: true);

    [Fact]
    public async Task Reset_InTheMiddle_IsCut()
    {
        await using var pieces = Start("hi");
        var first = pieces.MoveNextAsync();
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await exchange.SendAsync("Hel");
        Assert.True(await first);

        exchange.Reset();

        var failure = await Assert.ThrowsAsync<ResponderException>(async () => await pieces.MoveNextAsync());
        Assert.Equal((DoneReasons.ResponderCut, true), (failure.Reason, failure.IsRetryable));
    }

    [Fact]
    public Task Reset_BeforeTheFirstPiece_IsUnavailable() => AssertFailsAsync(
        exchange =>
        {
            exchange.Reset();
            return Task.CompletedTask;
        },
        DoneReasons.ResponderUnavailable,
        isRetryable: true);

    [Fact]
    public Task ErrorEvent_InTheMiddle_IsAnError() => AssertFailsAsync(
        async exchange =>
        {
            await exchange.SendAsync("Hel");
            await exchange.FailMidStreamAsync();
        },
        DoneReasons.ResponderError,
        isRetryable: true);

    [Theory]
    [InlineData(400, DoneReasons.ResponderError, false)]
    [InlineData(401, DoneReasons.ResponderError, false)]
    [InlineData(404, DoneReasons.ResponderError, false)]
    [InlineData(429, DoneReasons.ResponderUnavailable, true)]
    [InlineData(500, DoneReasons.ResponderError, true)]
    [InlineData(503, DoneReasons.ResponderUnavailable, true)]
    public Task Status_OfAnError_HasItsReason(int status, string reason, bool isRetryable) =>
        AssertFailsAsync(exchange => exchange.FailAsync(status), reason, isRetryable);

    [Fact]
    public Task Events_ThatAreNotJson_AreAnError() => AssertFailsAsync(
        exchange => exchange.SendEventAsync("{nonsense"), DoneReasons.ResponderError, isRetryable: false);

    [Fact]
    public async Task Connection_Refused_IsUnavailableAtOnce()
    {
        using var responder = Create($"http://127.0.0.1:{FreePort.Take()}/v1");

        var failure = await Assert.ThrowsAsync<ResponderException>(() => ReadAllAsync(responder, Ask("hi")));

        Assert.Equal((DoneReasons.ResponderUnavailable, true), (failure.Reason, failure.IsRetryable));
    }

    private async Task AssertFailsAsync(Func<FakeOpenAIExchange, Task> script, string reason, bool isRetryable)
    {
        var answer = ReadAllAsync(_responder, Ask("hi"));
        var exchange = await _upstream.NextAsync(_deadline.Token);
        await script(exchange);

        var failure = await Assert.ThrowsAsync<ResponderException>(() => answer);

        Assert.Equal((reason, isRetryable), (failure.Reason, failure.IsRetryable));
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    private IAsyncEnumerator<AnswerPiece> Start(string question) =>
        _responder.AnswerAsync(Ask(question), _deadline.Token).GetAsyncEnumerator(_deadline.Token);

    private Task<List<AnswerPiece>> ReadAllAsync(OpenAIResponder responder, ResponderContext context, CancellationToken? cancellationToken = null) =>
        responder.AnswerAsync(context, cancellationToken ?? _deadline.Token).ToListAsync(_deadline.Token).AsTask();

    private static OpenAIResponder Create(string endpoint, Action<OpenAIOptions>? configure = null) => UpstreamResponder.Create(endpoint, options =>
    {
        options.ApiKey = "";
        configure?.Invoke(options);
    });

    private static ResponderContext Ask(string question) => new() { SessionKey = "/s", QuestionId = "q", Question = question };
}
