using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>The forms in which people write the address of an upstream.</summary>
public sealed class EndpointTests
{
    [Theory]
    [InlineData("/v1", "/v1/chat/completions")]
    [InlineData("/v1/", "/v1/chat/completions")]
    [InlineData("/v1/chat/completions", "/v1/chat/completions")]
    [InlineData("/v1?api-version=1", "/v1/chat/completions?api-version=1")]
    [InlineData("/v1/?api-version=1", "/v1/chat/completions?api-version=1")]
    [InlineData("/v1/chat/completions?api-version=1", "/v1/chat/completions?api-version=1")]
    [InlineData("/openai/deployments/d", "/openai/deployments/d/chat/completions")]
    [InlineData("", "/chat/completions")]
    public async Task Endpoint_InEachForm_IsAskedAtItsCompletions(string form, string target)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(20));
        await using var upstream = await RawUpstream.StartAsync();
        using var responder = UpstreamResponder.Create(upstream.Origin + form);
        await using var answer = new AnswerReading(responder);

        var exchange = await upstream.NextAsync(deadline.Token);
        Assert.Equal(("POST", target), (exchange.Method, exchange.Target));
        Assert.Equal("Bearer sk-secret", exchange.Headers["Authorization"]);
        Assert.Equal("fake", exchange.Json.GetProperty("model").GetString());

        await exchange.AnswerAsync(200, "text/event-stream", Sse.Text("Hello") + Sse.Finish() + Sse.Done);
        await answer.UntilEndAsync();
        Assert.True(answer is { Text: "Hello", Failure: null }, answer.Description);
    }
}
