using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>Upstreams that say that they are somewhere else.</summary>
public sealed class RedirectTests : IAsyncLifetime
{
    // Enough for each chain that ends, and a sign that a loop does not.
    private const int TooManyRequests = 60;

    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private RawUpstream _upstream = null!;
    private OpenAIResponder _responder = null!;

    public async ValueTask InitializeAsync()
    {
        _deadline.CancelAfter(TimeSpan.FromSeconds(20));
        _upstream = await RawUpstream.StartAsync();
        _responder = UpstreamResponder.Create(_upstream.Endpoint);
    }

    public async ValueTask DisposeAsync()
    {
        _responder.Dispose();
        await _upstream.DisposeAsync();
        _deadline.Dispose();
    }

    [Theory]
    [InlineData(301, false)]
    [InlineData(302, false)]
    [InlineData(307, false)]
    [InlineData(308, false)]
    [InlineData(307, true)]
    [InlineData(308, true)]
    public async Task Redirect_ToTheSameHost_IsFollowedWithTheWholeRequest(int status, bool isAbsolute)
    {
        await using var answer = new AnswerReading(_responder);
        var first = await _upstream.NextAsync(_deadline.Token);
        await first.AnswerAsync(status, "text/plain", "moved", ("Location", (isAbsolute ? _upstream.Origin : "") + "/v2/chat/completions?a=b"));

        var second = await UntilNextAsync(answer);
        Assert.Equal(("POST", "/v2/chat/completions?a=b"), (second.Method, second.Target));
        Assert.Equal("Bearer sk-secret", second.Headers["Authorization"]);
        Assert.Equal(first.Body.ToArray(), second.Body.ToArray());
        Assert.Equal(first.Headers["Content-Type"], second.Headers["Content-Type"]);

        await second.AnswerAsync(200, "text/event-stream", Sse.Text("Hello") + Sse.Finish() + Sse.Done);
        await answer.UntilEndAsync();
        Assert.True(answer is { Text: "Hello", Failure: null }, answer.Description);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Redirect_ToAnotherHost_IsNotFollowed(int status)
    {
        // Another port is another origin. It must never see the key or the question.
        await using var other = await RawUpstream.StartAsync();
        await using var answer = new AnswerReading(_responder);
        await (await _upstream.NextAsync(_deadline.Token)).AnswerAsync(status, "text/plain", "moved", ("Location", $"{other.Endpoint}/chat/completions"));

        await answer.UntilEndAsync();

        AssertSaysRedirect(answer);
        Assert.Equal((0, 0), (other.ConnectionsAccepted, other.RequestsReceived));
    }

    [Fact]
    public async Task Redirect_InALoop_Ends()
    {
        await using var answer = new AnswerReading(_responder);
        while (!answer.Next.IsCompleted && _upstream.RequestsReceived < TooManyRequests)
        {
            using var isOver = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token);
            var next = _upstream.NextAsync(isOver.Token);
            if (await Task.WhenAny(next, answer.Next) == next)
            {
                await (await next).AnswerAsync(307, "text/plain", "moved", ("Location", "/v1/chat/completions"));
            }

            await isOver.CancelAsync();
        }

        await answer.UntilEndAsync();
        AssertSaysRedirect(answer);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("http://")]
    [InlineData("//")]
    [InlineData("//:80/x")]
    [InlineData("http://sk-secret.example/v1")]
    [InlineData("ftp://127.0.0.1/v1")]
    public async Task Redirect_ToNowhere_Fails(string? location)
    {
        await using var answer = new AnswerReading(_responder);
        (string, string)[] headers = location is null ? [] : [("Location", location)];
        await (await _upstream.NextAsync(_deadline.Token)).AnswerAsync(302, "text/plain", "moved", headers);

        // An empty location is the same address, so it can be a loop of one.
        while (location == "" && await Task.WhenAny(_upstream.NextAsync(_deadline.Token), answer.Next) is Task<RawExchange> again)
        {
            Assert.True(_upstream.RequestsReceived < TooManyRequests);
            await (await again).AnswerAsync(302, "text/plain", "moved", headers);
        }

        await answer.UntilEndAsync();
        AssertSaysRedirect(answer);
    }

    private static void AssertSaysRedirect(AnswerReading answer)
    {
        var failure = Assert.IsType<ResponderException>(answer.Failure);
        Assert.Equal((DoneReasons.ResponderError, false), (failure.Reason, failure.IsRetryable));
        Assert.Contains("redirect", failure.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Waits for the next request, or fails at once if the answer ends instead.</summary>
    private async Task<RawExchange> UntilNextAsync(AnswerReading answer)
    {
        var next = _upstream.NextAsync(_deadline.Token);
        if (await Task.WhenAny(next, answer.Next) != next)
        {
            await answer.UntilEndAsync();
            Assert.Fail($"There was no second request. Got {answer.Description}.");
        }

        return await next;
    }
}
