using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.TestKit.Upstream;
using OrleansSessions.Tests.Responders.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders;

/// <summary>A server that refuses a field of the request says which, in one of many forms. The failure names it, and the setting that decides about it.</summary>
public sealed class RefusedFieldTests
{
    [Theory]
    [InlineData(400, """{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}""", "max_tokens")]
    [InlineData(400, """{"error":{"message":"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.","code":"invalid_request_body"}}""", "max_tokens")]
    [InlineData(422, """{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{}}]}""", "stream_options")]
    [InlineData(422, """{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","max_tokens"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error","param":null,"code":null}""", "max_tokens")]
    [InlineData(400, """{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'metadata'), 'msg': 'Extra inputs are not permitted'}]","type":"BadRequestError","param":null,"code":400}""", "metadata")]
    [InlineData(422, """{"object":"error","message":"{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"user\"]}]}","type":"internal_error_proxy","code":"1000"}""", "user")]
    [InlineData(400, """{"error":{"message":"property 'metadata' is unsupported, did you mean 'temperature'?","type":"invalid_request_error"}}""", "metadata")]
    [InlineData(400, """{"error":{"message":"Invalid value for stream_options.include_usage","type":"invalid_request_error","param":"stream_options.include_usage"}}""", "stream_options")]
    [InlineData(400, """{"error":"unknown field `stream_options`"}""", "stream_options")]
    public async Task AFieldThatIsRefused_IsNamed_WithItsSetting(int status, string body, string field)
    {
        var failure = await FailAsync(status, body);

        Assert.Equal((DoneReasons.ResponderError, false), (failure.Reason, failure.IsRetryable));
        Assert.StartsWith($"The upstream refused the field '{field}' with HTTP status {status}. ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Responder:OpenAI:", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, """{"error":{"message":"Conversation roles must alternate user/assistant/user/assistant","type":"invalid_request_error"}}""")]
    [InlineData(400, """{"error":{"message":"Use 'max_completion_tokens' instead.","model":"m","user":"u"}}""")]
    [InlineData(400, "nothing to see")]
    [InlineData(404, """{"error":{"message":"The model 'm' does not exist","param":"model"}}""")]
    public async Task AFieldThatIsOnlyMentioned_OrWasNotSent_IsNotNamed(int status, string body)
    {
        var failure = await FailAsync(status, body);

        Assert.StartsWith($"The upstream answered with HTTP status {status}", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<ResponderException> FailAsync(int status, string body)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(20));
        await using var upstream = await RawUpstream.StartAsync();
        using var responder = UpstreamResponder.Create(upstream.Endpoint, options =>
        {
            (options.MaxOutputTokens, options.MaxTokensField, options.Temperature) = (9, MaxTokensField.MaxTokens, 1);
            (options.SendUser, options.SendMetadata) = (true, true);
        });
        var answer = responder.AnswerAsync(new() { SessionKey = "/s", QuestionId = "q", Question = "hi" }, deadline.Token).ToListAsync(deadline.Token).AsTask();
        await (await upstream.NextAsync(deadline.Token)).AnswerAsync(status, "application/json", body);
        return await Assert.ThrowsAsync<ResponderException>(() => answer);
    }
}
