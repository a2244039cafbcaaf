using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Client;
using OrleansSessions.Client.ChatClient;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Responders;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Client.ChatClients;

/// <summary>The chat client against a server in this process.</summary>
public sealed class SessionChatClientTests(GatewayFixture gateway) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly ChatOptions Background = new() { AllowBackgroundResponses = true };

    private readonly string _question = $"Why {Guid.NewGuid():n}?";
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private SessionChatClient _client = null!;

    private AnswerScript Script => gateway.Cluster.Responder.For(_question);

    public async ValueTask InitializeAsync()
    {
        _deadline.CancelAfter(Patience);
        await gateway.StartAsync();
        _client = new(gateway.Host.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _deadline.Dispose();
    }

    [Fact]
    public async Task Stream_ReturnsPiecesAsTheyCome_WithTheConversationOfANewSession()
    {
        await using var updates = Stream();
        Assert.True(await updates.MoveNextAsync());
        var first = updates.Current;
        Script.Send("Hel");
        Assert.True(await updates.MoveNextAsync());
        var second = updates.Current;
        Script.Send("lo").Finish();
        List<ChatResponseUpdate> all = [first, second];
        while (await updates.MoveNextAsync())
        {
            all.Add(updates.Current);
        }

        Assert.Equal(("", "Hel"), (first.Text, second.Text));
        Assert.All(all, update => Assert.Null(update.ContinuationToken));
        var response = all.ToChatResponse();
        var context = await Script.Started;
        Assert.Equal(
            ("Hello", ChatFinishReason.Stop, context.SessionId, context.QuestionId),
            (Assert.Single(response.Messages).Text, response.FinishReason, response.ConversationId, response.ResponseId));
    }

    [Fact]
    public async Task OnlyTheLastUserMessage_IsAsked_AndTheHistoryIsTheSessions()
    {
        var (first, second) = (_question + 1, _question + 2);
        gateway.Cluster.Responder.For(first).Send("One.").Finish();
        gateway.Cluster.Responder.For(second).Send("Two.").Finish();
        ChatMessage[] messages = [new(ChatRole.System, "Be brief."), new(ChatRole.User, "old"), new(ChatRole.Assistant, "older"), new(ChatRole.User, first)];

        var one = await _client.GetResponseAsync(messages, cancellationToken: _deadline.Token);
        var two = await _client.GetResponseAsync(second, new() { ConversationId = one.ConversationId }, _deadline.Token);

        Assert.Equal(("One.", "Two.", one.ConversationId), (one.Text, two.Text, two.ConversationId));
        Assert.Empty(gateway.Cluster.Responder.For(first).Latest!.History);
        Assert.Equal([new AnsweredQuestion(first, "One.")], gateway.Cluster.Responder.For(second).Latest!.History);
    }

    [Fact]
    public async Task Options_ReachTheResponder_OrAreRefusedByTheServer()
    {
        Script.Finish();
        var ask = new AskOptions { Id = "mine", Metadata = new() { ["lang"] = "en" } };
        var options = new ChatOptions { ModelId = "small", RawRepresentationFactory = _ => ask };

        var response = await _client.GetResponseAsync(_question, options, _deadline.Token);
        var refusal = await Assert.ThrowsAsync<SessionRefusedException>(() => _client.GetResponseAsync(_question, new() { Temperature = 1 }, _deadline.Token));

        Assert.Equal("mine", response.ResponseId);
        Assert.Equal("small", (string?)JsonNode.Parse(Script.Latest!.OptionsJson!)!["model"]);
        Assert.Equal("en", (string?)JsonNode.Parse(Script.Latest.MetadataJson!)!["lang"]);
        Assert.Equal(("bad_request", "options.temperature"), (refusal.Code, refusal.Parameter));
    }

    [Fact]
    public async Task Ask_WhileAnotherIsOpen_IsRefusedWithWhich()
    {
        await using var updates = Stream();
        await updates.MoveNextAsync();

        var refusal = await Assert.ThrowsAsync<SessionRefusedException>(
            () => _client.GetResponseAsync("Another?", new() { ConversationId = updates.Current.ConversationId }, _deadline.Token));

        Assert.Equal(("session_busy", updates.Current.ResponseId), (refusal.Code, refusal.ActiveQuestionId));
    }

    [Fact]
    public async Task End_AtTheLengthLimit_HasTheFinishReasonLength()
    {
        Script.Send("Hel").Stop(DoneReasons.Length);

        var response = await _client.GetResponseAsync(_question, cancellationToken: _deadline.Token);

        Assert.Equal(("Hel", ChatFinishReason.Length), (response.Text, response.FinishReason));
    }

    [Fact]
    public async Task End_OfAQuestionThatIsDeclined_HasTheFinishReasonContentFilter()
    {
        Script.Send("Hel").Fail(new ResponderException(DoneReasons.ResponderRefused, "I would rather not.", isRetryable: false));

        var response = await _client.GetStreamingResponseAsync(_question, cancellationToken: _deadline.Token).ToChatResponseAsync(_deadline.Token);

        Assert.Equal(("Hel", ChatFinishReason.ContentFilter), (response.Text, response.FinishReason));
    }

    [Fact]
    public async Task Failure_OfTheQuestion_IsAnExceptionWithItsEnd()
    {
        var fault = new ResponderException(DoneReasons.ResponderUnavailable, "Too many.", isRetryable: true) { RetryAfter = TimeSpan.FromSeconds(20) };
        Script.Send("Hel").Fail(fault);

        var failure = await Assert.ThrowsAsync<QuestionNotAnsweredException>(() => _client.GetResponseAsync(_question, cancellationToken: _deadline.Token));

        Assert.Equal(
            ("responder_unavailable", "Too many.", "Hel", TimeSpan.FromSeconds(20)), (failure.Code, failure.Message, failure.End.Text, failure.End.RetryAfter));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CallerThatLeaves_StopsTheModel_AndCanAskAgainAtOnce(bool cancels)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token);
        var updates = Stream(token: stop.Token);
        Script.Send("Hel");
        while (await updates.MoveNextAsync() && updates.Current.Text.Length == 0)
        {
        }

        var conversation = updates.Current.ConversationId;
        if (cancels)
        {
            var next = updates.MoveNextAsync();
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        }

        await updates.DisposeAsync();
        await Script.Cancelled.WaitAsync(_deadline.Token);
        gateway.Cluster.Responder.For(_question + "?").Send("Yes.").Finish();
        Assert.Equal("Yes.", (await _client.GetResponseAsync(_question + "?", new() { ConversationId = conversation }, _deadline.Token)).Text);
    }

    [Fact]
    public async Task BackgroundStream_ThatIsLeftAgainAndAgain_GoesOnFromItsSerializedToken_InAnotherClient_WithoutLossOrRepeat()
    {
        var options = Background;
        var text = "";
        for (var piece = 0; piece < 10; piece++)
        {
            // Each client leaves in the middle, and misses a piece before the next one comes.
            await using var client = new SessionChatClient(gateway.Host.Address);
            await using var updates = client.GetStreamingResponseAsync(_question, options, _deadline.Token).GetAsyncEnumerator(_deadline.Token);
            Script.Send($"{piece}é ");
            var length = text.Length;
            while (text.Length == length && await updates.MoveNextAsync())
            {
                text += updates.Current.Text;
            }

            options = new() { ContinuationToken = ResponseContinuationToken.FromBytes(updates.Current.ContinuationToken!.ToBytes()) };
            Script.Send($"{piece}! ");
        }

        Script.Finish();
        var rest = await _client.GetStreamingResponseAsync([], options, _deadline.Token).ToListAsync(_deadline.Token);

        Assert.Equal(string.Concat(Enumerable.Range(0, 10).Select(piece => $"{piece}é {piece}! ")), text + string.Concat(rest.Select(update => update.Text)));
        Assert.Equal((ChatFinishReason.Stop, null), (rest[^1].FinishReason, rest[^1].ContinuationToken));
        Assert.All(rest.SkipLast(1), update => Assert.NotNull(update.ContinuationToken));
        Assert.Equal(1, Script.Runs);
    }

    [Fact]
    public async Task BackgroundResponse_IsUnfinished_UntilItsQuestionHasEnded()
    {
        var accepted = await _client.GetResponseAsync(_question, Background, _deadline.Token);
        var poll = new ChatOptions { AllowBackgroundResponses = true, ContinuationToken = accepted.ContinuationToken };
        var unfinished = await _client.GetResponseAsync([], poll, _deadline.Token);
        Script.Send("Hello").Finish();
        var whole = await _client.GetResponseAsync([], new() { ContinuationToken = accepted.ContinuationToken }, _deadline.Token);
        var finished = await _client.GetResponseAsync([], poll, _deadline.Token);

        Assert.All([accepted, unfinished], response => Assert.Equal((0, true), (response.Messages.Count, response.ContinuationToken is not null)));
        Assert.All(
            [whole, finished],
            response => Assert.Equal(("Hello", ChatFinishReason.Stop, null), (response.Text, response.FinishReason, response.ContinuationToken)));
    }

    [Fact]
    public async Task Cancel_OfABackgroundResponse_StopsTheModel()
    {
        var accepted = await _client.GetResponseAsync(_question, Background, _deadline.Token);

        await _client.CancelAsync(accepted.ContinuationToken!, _deadline.Token);

        await Script.Cancelled.WaitAsync(_deadline.Token);
        var failure = await Assert.ThrowsAsync<QuestionNotAnsweredException>(
            () => _client.GetResponseAsync([], new() { ContinuationToken = accepted.ContinuationToken }, _deadline.Token));
        Assert.Equal((QuestionStatus.Cancelled, "by_client"), (failure.End.Status, failure.Code));
    }

    [Fact]
    public async Task Call_WithNothingToAsk_OrAForeignToken_IsRefusedBeforeAnythingIsSent()
    {
        var accepted = await _client.GetResponseAsync(_question, Background, _deadline.Token);
        (ChatMessage[] Messages, ChatOptions? Options)[] calls =
        [
            ([], null),
            ([new(ChatRole.Assistant, "Hello")], null),
            ([new(ChatRole.User, "")], null),
            ([new(ChatRole.User, [new TextContent("What is this?"), new UriContent("http://host/cat.png", "image/png")])], null),
            ([], new() { ContinuationToken = ResponseContinuationToken.FromBytes("nonsense"u8.ToArray()) }),
            ([], new() { ContinuationToken = accepted.ContinuationToken, ConversationId = "another" }),
            ([new(ChatRole.User, "Why?")], new() { ConversationId = "no spaces" }),
        ];

        foreach (var (messages, options) in calls)
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => _client.GetResponseAsync(messages, options, _deadline.Token));
        }

        await Assert.ThrowsAsync<QuestionLostException>(() => _client.GetResponseAsync(
            [], new() { ContinuationToken = ResponseContinuationToken.FromBytes("1 0a unknown/unknown//0/0/0"u8.ToArray()) }, _deadline.Token));
    }

    [Fact]
    public async Task ServerThatCannotBeReached_EndsTheCallAfterItsTime()
    {
        var time = new FakeTimeProvider();
        await using var client = new SessionChatClient(new Uri($"http://127.0.0.1:{FreePort.Take()}"), options: new() { TimeProvider = time });
        var call = client.GetResponseAsync(_question, cancellationToken: _deadline.Token);

        time.Advance(TimeSpan.FromSeconds(30));

        var failure = await Assert.ThrowsAsync<SessionException>(() => call);
        Assert.Equal(("not_accepted", 0), (failure.Code, client.Connections));
    }

    [Fact]
    public async Task Connections_ThatNoCallUses_AreKeptForAWhile_AndOnlySoMany()
    {
        var time = new FakeTimeProvider();
        var options = new SessionChatClientOptions { TimeProvider = time, MaxIdleConnections = 2, IdleTimeout = TimeSpan.FromMinutes(1) };
        await using var client = new SessionChatClient(gateway.Host.Address, options: options);
        await using var running = client.GetStreamingResponseAsync(_question, cancellationToken: _deadline.Token).GetAsyncEnumerator(_deadline.Token);
        await running.MoveNextAsync();
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            gateway.Cluster.Responder.For(_question + i).Finish();
            await client.GetResponseAsync(_question + i, cancellationToken: _deadline.Token);
        }

        Assert.Equal(3, client.Connections);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(2, client.Connections);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, client.Connections);
    }

    [Fact]
    public async Task Services_HaveOneChatClient_ForTheServerOfTheSessionClient()
    {
        Script.Send("Hello").Finish();
        await using var services = new ServiceCollection()
            .AddSessionClient(gateway.Host.Address).AddSessionChatClient().AddSessionChatClient().BuildServiceProvider();
        var client = services.GetRequiredService<IChatClient>();

        Assert.Same(client, services.GetRequiredService<SessionChatClient>());
        Assert.Same(client, client.GetService<SessionChatClient>());
        Assert.Equal("orleans-sessions", client.GetService<ChatClientMetadata>()?.ProviderName);
        Assert.Equal("Hello", (await client.GetResponseAsync(_question, cancellationToken: _deadline.Token)).Text);
    }

    private IAsyncEnumerator<ChatResponseUpdate> Stream(ChatOptions? options = null, CancellationToken? token = null) =>
        _client.GetStreamingResponseAsync(_question, options, token ?? _deadline.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
}
