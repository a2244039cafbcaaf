using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>A server whose responder calls an upstream with OpenAI's protocol over real HTTP.</summary>
public sealed class UpstreamFixture : IAsyncLifetime
{
    public FakeOpenAIServer Upstream { get; private set; } = null!;

    public ServerProcess Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Upstream = await FakeOpenAIServer.StartAsync();
        Server = await ServerProcess.StartAsync(
            "Responder:Name=openai", $"Responder:OpenAI:Endpoint={Upstream.Endpoint}", "Responder:OpenAI:Model=fake",
            "Responder:OpenAI:SystemPrompt=Be brief.");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Upstream.DisposeAsync();
    }
}

/// <summary>The main use: a model answers a question over HTTP streaming, from the socket to the upstream and back.</summary>
public sealed class OpenAITests(UpstreamFixture fixture) : IClassFixture<UpstreamFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Deltas_AreSeenWhileTheUpstreamStillSends_AndHistoryIsSent()
    {
        await using var client = await ConnectAsync();
        var question = await client.AskAsync("What is a grain?");
        var exchange = await NextAsync();
        foreach (var (piece, sofar) in new[] { ("A grain ", "A grain "), ("is an actor.", "A grain is an actor.") })
        {
            await exchange.SendAsync(piece);
            await client.PumpUntilAsync(() => question.Answer.ToString() == sofar, $"'{sofar}' while the upstream is still open");
        }

        await exchange.FinishAsync();
        await client.PumpUntilDoneAsync(question);
        Assert.Equal("completed", question.Status);

        var next = await client.AskAsync("And a silo?");
        exchange = await NextAsync();
        Assert.Equal(
            [("system", "Be brief."), ("user", "What is a grain?"), ("assistant", "A grain is an actor."), ("user", "And a silo?")], exchange.Messages);
        await exchange.AnswerAsync("Its host.");
        await client.PumpUntilDoneAsync(next);
        Assert.Equal("Its host.", next.Answer.ToString());
    }

    [Fact]
    public async Task Cancel_IsSeenByTheUpstreamAsAClosedConnection()
    {
        await using var client = await ConnectAsync();
        var question = await client.AskAsync("Tell me a long story.");
        var exchange = await NextAsync();
        await exchange.SendAsync("Once ");
        await client.PumpUntilAsync(() => question.NextDelta == 1, "the first delta");

        await client.Socket.CancelAsync(question.Id);

        await exchange.ClosedByClient.WaitAsync(Patience, Token);
        await client.PumpUntilDoneAsync(question);
        Assert.Equal(("cancelled", "Once "), (question.Status, question.Answer.ToString()));
    }

    [Theory]
    [InlineData("length", "incomplete", DoneReasons.Length)]
    [InlineData("cut", "failed", DoneReasons.ResponderCut)]
    [InlineData("reset", "failed", DoneReasons.ResponderCut)]
    [InlineData("refusal", "failed", DoneReasons.ResponderRefused)]
    [InlineData("error", "failed", DoneReasons.ResponderUnavailable)]
    public async Task End_OfEachKind_HasItsOwnReason(string kind, string status, string reason)
    {
        await using var client = await ConnectAsync();
        var question = await client.AskAsync("Will this end well?");
        var exchange = await NextAsync();
        switch (kind)
        {
            case "length":
                await exchange.SendAsync("to be continu");
                await exchange.FinishAsync("length");
                break;
            case "cut":
                await exchange.SendAsync("and th");
                exchange.EndEarly();
                break;
            case "reset":
                await exchange.SendAsync("and th");
                await client.PumpUntilAsync(() => question.NextDelta == 1, "the first delta, which a reset must not overtake");
                exchange.Reset();
                break;
            case "refusal":
                await exchange.RefuseAsync("I would rather not.");
                await exchange.FinishAsync();
                break;
            case "error":
                await exchange.FailAsync(503);
                break;
        }

        await client.PumpUntilDoneAsync(question);

        Assert.Equal((status, reason), (question.Status, question.End!.Value.Text("reason")));
        Assert.DoesNotContain("sk-secret", question.End!.Value.GetRawText(), StringComparison.Ordinal);
    }

    private async Task<ReferenceClient> ConnectAsync()
    {
        var session = Names.Session();
        var client = new ReferenceClient(query => fixture.Server.Socket(session, query));
        await client.ConnectAsync();
        return client;
    }

    private async Task<FakeOpenAIExchange> NextAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        try
        {
            return await fixture.Upstream.NextAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!Token.IsCancellationRequested)
        {
            throw new TimeoutException($"The upstream was not asked within {Patience}. The server printed:\n{fixture.Server.Output}");
        }
    }
}
