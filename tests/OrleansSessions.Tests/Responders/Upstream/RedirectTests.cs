using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>Upstreams that say that they are somewhere else.</summary>
public sealed class RedirectTests : UpstreamTest
{
    // Enough for each chain that ends, and a sign that a loop does not.
    private const int TooManyRequests = 60;

    [Theory]
    [InlineData(301, false)]
    [InlineData(302, false)]
    [InlineData(307, false)]
    [InlineData(308, false)]
    [InlineData(307, true)]
    [InlineData(308, true)]
    public async Task Redirect_ToTheSameHost_IsFollowedWithTheWholeRequest(int status, bool isAbsolute)
    {
        await using var answer = new AnswerReading(Responder);
        var first = await Upstream.NextAsync(Deadline);
        await first.AnswerAsync(status, "text/plain", "moved", ("Location", (isAbsolute ? Upstream.Origin : "") + "/v2/chat/completions?a=b"));

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
        await using var answer = new AnswerReading(Responder);
        await (await Upstream.NextAsync(Deadline)).AnswerAsync(status, "text/plain", "moved", ("Location", $"{other.Endpoint}/chat/completions"));

        await answer.UntilEndAsync();

        AssertSaysRedirect(answer);
        Assert.Equal((0, 0), (other.ConnectionsAccepted, other.RequestsReceived));
    }

    [Fact]
    public async Task Redirect_InALoop_Ends()
    {
        await using var answer = new AnswerReading(Responder);
        while (!answer.Next.IsCompleted && Upstream.RequestsReceived < TooManyRequests)
        {
            using var isOver = CancellationTokenSource.CreateLinkedTokenSource(Deadline);
            var next = Upstream.NextAsync(isOver.Token);
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
        await using var answer = new AnswerReading(Responder);
        (string, string)[] headers = location is null ? [] : [("Location", location)];
        await (await Upstream.NextAsync(Deadline)).AnswerAsync(302, "text/plain", "moved", headers);

        // An empty location is the same address, so it can be a loop of one.
        while (location == "" && await Task.WhenAny(Upstream.NextAsync(Deadline), answer.Next) is Task<RawExchange> again)
        {
            Assert.True(Upstream.RequestsReceived < TooManyRequests);
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
}
