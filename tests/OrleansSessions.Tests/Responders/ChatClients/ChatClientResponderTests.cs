using System.Net;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Responders.ChatClient;
using OrleansSessions.Tests.Responders.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders.ChatClients;

public sealed class ChatClientResponderTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly ScriptedChatClient _client = new();
    private readonly List<ServiceProvider> _services = [];

    public void Dispose() => _services.ForEach(services => services.Dispose());

    [Fact]
    public async Task Answer_WhileTheClientStillSends_PassesEachPieceOn()
    {
        await using var answer = Read();
        _client.Send("Hel");
        await answer.UntilTextAsync("Hel");
        Assert.False(answer.Next.IsCompleted);
        _client.Send("lo").Finish(ChatFinishReason.Stop);

        await answer.UntilEndAsync();

        Assert.Equal(("Hello", null, null), (answer.Text, answer.IncompleteReason, answer.Failure));
    }

    [Fact]
    public async Task Request_HasTheSystemPromptTheHistoryAndTheQuestion_AndTheOptions()
    {
        var responder = Create(options =>
        {
            (options.SystemPrompt, options.Model, options.MaxOutputTokens, options.Temperature) = ("Be brief.", "m", 7, 0.5f);
            options.ConfigureChat = (chat, context) => chat.AdditionalProperties = new() { ["user"] = context.User };
        });
        await using var answer = new AnswerReading(
            responder, new() { SessionKey = "/s", QuestionId = "q", Question = "and then?", History = [new("first?", "One.")], User = "ann" });

        var (messages, options) = await RequestAsync();

        Assert.Equal(
            [(ChatRole.System, "Be brief."), (ChatRole.User, "first?"), (ChatRole.Assistant, "One."), (ChatRole.User, "and then?")],
            messages.Select(message => (message.Role, message.Text)));
        Assert.Equal(("m", 7, 0.5f, "ann"), (options!.ModelId, options.MaxOutputTokens, options.Temperature, options.AdditionalProperties!["user"]));
    }

    [Fact]
    public async Task Request_WithoutOptions_LeavesAllToTheClient()
    {
        await using var answer = Read();

        var (messages, options) = await RequestAsync();

        Assert.Equal((ChatRole.User, "hi"), (Assert.Single(messages).Role, messages[0].Text));
        Assert.Equal((null, null, null), (options!.ModelId, options.MaxOutputTokens, options.Temperature));
    }

    [Fact]
    public async Task Question_ChoosesWhatItMay_AndNothingElse()
    {
        var responder = Create(options =>
        {
            (options.AllowedModels, options.MaxQuestionTemperature) = (["large"], 1);
            options.SystemPrompts["pirate"] = "Arr.";
        });

        Assert.Null(Fault(responder, """{"model":"large","temperature":0.2,"system_prompt":"pirate"}"""));
        Assert.Equal("'model' must be one of: large.", Fault(responder, """{"model":"huge"}""")?.Message);
        Assert.Equal("This server does not let a question choose its model.", Fault(Create(), """{"model":"large"}""")?.Message);
        await using var answer = new AnswerReading(responder, new()
        {
            SessionKey = "/s",
            QuestionId = "q",
            Question = "hi",
            OptionsJson = """{"model":"large","temperature":0.2,"system_prompt":"pirate"}""",
        });
        var (messages, options) = await RequestAsync();
        Assert.Equal(("Arr.", "large", 0.2f), (messages[0].Text, options!.ModelId, options.Temperature));
    }

    [Fact]
    public async Task Reasoning_ToolCallsAndEmptyUpdates_AreSignsOfLife_AndMessagesAreKeptApart()
    {
        await using var answer = Read();
        _client.Send(new TextReasoningContent("hmm")).Send(new FunctionCallContent("c", "weather")).Send();
        await answer.UntilAsync(() => answer.SignsOfLife == 3, "three signs of life");
        _client.Send("Let me", "1").Send(" look.", "1").Send("Rain.", "2").Finish(ChatFinishReason.Stop);

        await answer.UntilEndAsync();

        Assert.Equal("Let me look.\n\nRain.", answer.Text);
    }

    [Fact]
    public async Task Usage_OfSeveralCalls_AddsUp_AndIsReportedAsSoonAsItIsKnown()
    {
        await using var pieces = Start();
        _client.Send(Usage(10, 2)).Send(Usage(20, 3));

        Assert.True(await pieces.MoveNextAsync());
        Assert.Equal(new AnswerUsage("own-model") { InputTokens = 10, OutputTokens = 2, CachedInputTokens = 1, ReasoningTokens = 1 }, pieces.Current.Usage);
        Assert.True(await pieces.MoveNextAsync() && await pieces.MoveNextAsync());
        Assert.Equal(new AnswerUsage("own-model") { InputTokens = 30, OutputTokens = 5, CachedInputTokens = 2, ReasoningTokens = 2 }, pieces.Current.Usage);
    }

    [Fact]
    public async Task Cancel_ReachesTheClientsToken_AndIsNoFailure()
    {
        await using var answer = Read();
        _client.Send("Hel");
        await answer.UntilTextAsync("Hel");

        await answer.CancelAsync();
        await answer.UntilEndAsync();

        await _client.Cancelled.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await _client.Stopped.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.IsType<OperationCanceledException>(answer.Failure);
    }

    [Fact]
    public async Task EnumeratorThatIsLeft_DisposesTheClients()
    {
        var pieces = Start();
        _client.Send("Hel");
        Assert.True(await pieces.MoveNextAsync());

        await pieces.DisposeAsync();

        Assert.True(_client.Stopped.IsCompleted);
        Assert.False(_client.Cancelled.IsCompleted);
    }

    public static TheoryData<string, string> Ends => new()
    {
        { "text", "completed" },
        { "text, stop", "completed" },
        { "text, length", DoneReasons.Length },
        { "length", DoneReasons.Length },
        { "text, content_filter", DoneReasons.ResponderRefused },
        { "refusal, stop", DoneReasons.ResponderRefused },
        { "tool_calls", DoneReasons.ResponderError },
        { "text, tool_calls", "completed" },
        { "error, stop", DoneReasons.ResponderError },
        { "error, text, stop", "completed" },
        { "", DoneReasons.ResponderCut },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task End_HasItsReason(string steps, string expected)
    {
        await using var answer = Read();
        foreach (var step in steps.Split(", ", StringSplitOptions.RemoveEmptyEntries))
        {
            _ = step switch
            {
                "text" => _client.Send("text"),
                "refusal" => _client.Send(new ErrorContent("I cannot.") { ErrorCode = "Refusal" }),
                "error" => _client.Send(new ErrorContent("A tool failed.")),
                _ => _client.Finish(new ChatFinishReason(step)),
            };
        }

        _client.Finish();
        await answer.UntilEndAsync();

        var failure = (ResponderException?)answer.Failure;
        Assert.Equal(expected, failure?.Reason ?? answer.IncompleteReason ?? "completed");
        Assert.Equal(expected == DoneReasons.ResponderCut, failure?.IsRetryable == true);
    }

    public static TheoryData<Exception, bool, string, bool, int?> Faults => new()
    {
        { new HttpRequestException("secret", null, HttpStatusCode.TooManyRequests), false, DoneReasons.ResponderUnavailable, true, null },
        { new HttpRequestException("secret", null, HttpStatusCode.InternalServerError), false, DoneReasons.ResponderError, true, null },
        { new HttpRequestException("secret", null, HttpStatusCode.Unauthorized), false, DoneReasons.ResponderError, false, null },
        { new InvalidOperationException("secret", new HttpRequestException("secret")), false, DoneReasons.ResponderUnavailable, true, null },
        { new TaskCanceledException("secret"), false, DoneReasons.ResponderUnavailable, true, null },
        { new IOException("secret"), true, DoneReasons.ResponderCut, true, null },
        { new NotSupportedException("secret"), true, DoneReasons.ResponderError, false, null },
        { new StatusException(503, ("Retry-After", "20")), false, DoneReasons.ResponderUnavailable, true, 20_000 },
        { new StatusException(429, ("retry-after-ms", "1500"), ("Retry-After", "2")), true, DoneReasons.ResponderUnavailable, true, 1_500 },
        { new StatusException(400, ("Retry-After", "20")), false, DoneReasons.ResponderError, false, null },
        { new ResponderException(DoneReasons.ResponderRefused, "I would rather not.", isRetryable: false), false, DoneReasons.ResponderRefused, false, null },
    };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public async Task Fault_OfTheClient_HasItsReason_AndItsMessageIsNotRepeated(
        Exception fault, bool afterText, string reason, bool isRetryable, int? retryAfterMs)
    {
        await using var answer = Read();
        if (afterText)
        {
            _client.Send("text");
            await answer.UntilTextAsync("text");
        }

        _client.Fail(fault);
        await answer.UntilEndAsync();

        var failure = Assert.IsType<ResponderException>(answer.Failure);
        Assert.Equal((reason, isRetryable, retryAfterMs), (failure.Reason, failure.IsRetryable, (int?)failure.RetryAfter?.TotalMilliseconds));
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fault_BeforeThereIsAnythingToRead_IsAFailureToo()
    {
        _client.FailsAtOnce = new StatusException(503);
        await using var answer = Read();

        await answer.UntilEndAsync();

        Assert.Equal(DoneReasons.ResponderUnavailable, Assert.IsType<ResponderException>(answer.Failure).Reason);
    }

    [Fact]
    public void Registration_OfAnotherResponder_AsksForNoClient_AndTheLastClientOfANameAnswers()
    {
        var asked = 0;
        var services = new ServiceCollection().AddBuiltInResponders(null)
            .AddChatClientResponder("other", _ => throw new InvalidOperationException("It is not selected."), configPrefix: null)
            .AddChatClientResponder("model", _ => throw new InvalidOperationException("It was replaced."), configPrefix: null)
            .AddChatClientResponder("model", _ => { asked++; return _client; }, options => options.Recovery = RecoveryMode.Fail, configPrefix: null)
            .Configure<ResponderOptions>(options => options.Name = "model");
        using var provider = services.BuildServiceProvider();

        Assert.Equal(RecoveryMode.Fail, provider.GetRequiredService<ChatClientResponder>().Recovery);
        Assert.Equal(1, asked);
        Assert.Equal(RecoveryMode.AskAgain, Create().Recovery);
    }

    [Fact]
    public void Options_WithSeveralBadValues_ReportThemAll()
    {
        var failure = Assert.Throws<OptionsValidationException>(() => Create(options =>
        {
            (options.MaxOutputTokens, options.Temperature, options.MaxQuestionTemperature) = (0, 3, -1);
            options.Recovery = RecoveryMode.Continue;
            options.AllowedModels.Add(" ");
        }));

        string[] expected =
        [
            "AllowedModels contains an empty name", "MaxOutputTokens is 0", "MaxQuestionTemperature is -1", "Recovery is 'Continue'", "Temperature is 3",
        ];
        Assert.Equal(expected.Length, failure.Failures.Count());
        Assert.All(expected, beginning => Assert.Single(
            failure.Failures, message => message.StartsWith($"Responder:ChatClient:{beginning}", StringComparison.Ordinal)));
    }

    private static UsageContent Usage(int input, int output) =>
        new(new() { InputTokenCount = input, OutputTokenCount = output, CachedInputTokenCount = 1, ReasoningTokenCount = 1 });

    private static OptionFault? Fault(ChatClientResponder responder, string options)
    {
        using var json = JsonDocument.Parse(options);
        return responder.CheckOptions(json.RootElement);
    }

    private async Task<(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)> RequestAsync() =>
        await _client.Requests.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);

    private AnswerReading Read() => new(Create());

    private IAsyncEnumerator<AnswerPiece> Start()
    {
        var token = TestContext.Current.CancellationToken;
        return Create().AnswerAsync(UpstreamResponder.Ask(), token).GetAsyncEnumerator(token);
    }

    private ChatClientResponder Create(Action<ChatClientResponderOptions>? configure = null)
    {
        var services = new ServiceCollection().AddBuiltInResponders(null)
            .AddChatClientResponder("model", _ => _client, configure, configPrefix: null)
            .Configure<ResponderOptions>(options => options.Name = "model").BuildServiceProvider();
        _services.Add(services);
        return services.GetRequiredService<ChatClientResponder>();
    }
}
