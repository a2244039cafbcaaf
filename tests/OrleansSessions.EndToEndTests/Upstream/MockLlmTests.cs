using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>A server whose responder asks <c>mock-llm</c>.</summary>
public sealed class MockLlmFixture : IAsyncLifetime
{
    // Pieces of 8 UTF-16 units, so that a piece can end in the middle of a character. The last rule that matches decides.
    private const string Configuration = """
        streaming:
          chunkSize: 8
          chunkIntervalMs: 50
        rules:
          - path: "/v1/chat/completions"
            match: "@"
            response:
              status: 200
              content: '{"choices":[{"message":{"role":"assistant","content":"{{jmes request join(`, `, body.messages[*].content)}}"},"finish_reason":"stop"}]}'
          - path: "/v1/chat/completions"
            match: "contains(body.messages[-1].content, 'error-401')"
            response:
              status: 401
              content: '{"error":{"message":"Incorrect key sk-secret.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}'
          - path: "/v1/chat/completions"
            match: "contains(body.messages[-1].content, 'error-429')"
            response:
              status: 429
              content: '{"error":{"message":"Rate limit, key sk-secret.","type":"requests","param":null,"code":"rate_limit_exceeded"}}'
          - path: "/v1/chat/completions"
            match: "contains(body.messages[-1].content, 'error-500')"
            response:
              status: 200
              content: 'sk-secret, not JSON, so it fails itself'
        """;

    private MockLlmProcess? _upstream;
    private ServerProcess? _server;
    private ServerProcess? _lostServer;
    private string? _missing;

    /// <summary>Asks at the right path.</summary>
    public ServerProcess Server => _server!;

    /// <summary>Asks at a path that the upstream does not have.</summary>
    public ServerProcess LostServer => _lostServer!;

    public async ValueTask InitializeAsync()
    {
        (var program, _missing) = await MockLlmInstallation.GetAsync();
        if (program is not null)
        {
            _upstream = await MockLlmProcess.StartAsync(program, Configuration);
            _server = await StartServerAsync(_upstream.Endpoint);
            _lostServer = await StartServerAsync($"{_upstream.Origin}/nowhere");
        }
    }

    public void SkipIfAbsent() => Assert.SkipWhen(_missing is not null, _missing ?? "");

    public async ValueTask DisposeAsync()
    {
        foreach (var server in new IAsyncDisposable?[] { _lostServer, _server, _upstream })
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }
    }

    private static Task<ServerProcess> StartServerAsync(string endpoint) =>
        ServerProcess.StartAsync("Responder:Name=openai", $"Responder:OpenAI:Endpoint={endpoint}", "Responder:OpenAI:Model=mock");
}

/// <summary>An upstream that this project did not write: its chunks lack fields, and it sends its errors as events of a stream with status 200.</summary>
public sealed class MockLlmTests(MockLlmFixture fixture) : IClassFixture<MockLlmFixture>
{
    [Fact]
    public async Task Answer_InManyPieces_IsWhole()
    {
        await using var client = await ConnectAsync();
        const string Text = "What is a grain, what is a silo, and who starts them?";

        var question = await client.AskAsync(Text);
        await client.PumpUntilDoneAsync(question);

        Assert.Equal(("completed", Text), (question.Status, question.Answer.ToString()));
        Assert.True(question.NextDelta > 1, $"There were {question.NextDelta} deltas.");
    }

    [Fact]
    public async Task Answer_WhosePiecesSplitACharacter_IsWhole()
    {
        await using var client = await ConnectAsync();
        // The eighth and the ninth unit are one character.
        const string Text = "1234567\U0001F600 is a smile";

        var question = await client.AskAsync(Text);
        await client.PumpUntilDoneAsync(question);

        Assert.Equal(("completed", Text), (question.Status, question.Answer.ToString()));
    }

    [Fact]
    public async Task Question_AfterAnother_IsSentWithIt()
    {
        await using var client = await ConnectAsync();
        var first = await client.AskAsync("one");
        await client.PumpUntilDoneAsync(first);
        Assert.Equal(("completed", "one"), (first.Status, first.Answer.ToString()));

        var second = await client.AskAsync("two");
        await client.PumpUntilDoneAsync(second);

        // The question, its answer, and the next question.
        Assert.Equal(("completed", "one, one, two"), (second.Status, second.Answer.ToString()));
    }

    [Theory]
    [InlineData("error-401", false)]
    [InlineData("error-429", true)]
    [InlineData("error-500", true)]
    public async Task Error_OfTheUpstream_EndsTheQuestion(string text, bool isRetryable)
    {
        await using var client = await ConnectAsync();

        var question = await client.AskAsync(text);
        await client.PumpUntilDoneAsync(question);

        AssertFailed(question, isRetryable);
    }

    [Fact]
    public async Task Path_ThatTheUpstreamDoesNotHave_EndsTheQuestion()
    {
        await using var client = await ConnectAsync(isLost: true);

        var question = await client.AskAsync("anybody there?");
        await client.PumpUntilDoneAsync(question);

        AssertFailed(question, isRetryable: false);
    }

    private static void AssertFailed(ReferenceQuestion question, bool isRetryable)
    {
        var end = question.End!.Value;
        // What is retryable may be unavailable, too. None of them is a cut.
        string[] reasons = isRetryable ? [DoneReasons.ResponderError, DoneReasons.ResponderUnavailable] : [DoneReasons.ResponderError];
        Assert.Equal(("failed", ""), (question.Status, question.Answer.ToString()));
        Assert.Contains(end.Text("reason")!, reasons);
        Assert.Equal(isRetryable, end.Flag("retryable"));
        Assert.DoesNotContain("sk-secret", end.GetRawText(), StringComparison.Ordinal);
    }

    private async Task<ReferenceClient> ConnectAsync(bool isLost = false)
    {
        fixture.SkipIfAbsent();
        var session = Names.Session();
        var server = isLost ? fixture.LostServer : fixture.Server;
        var client = new ReferenceClient(query => server.Socket(session, query));
        await client.ConnectAsync();
        return client;
    }
}
