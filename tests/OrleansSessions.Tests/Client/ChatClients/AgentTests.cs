using Microsoft.Agents.AI;
using OrleansSessions.Client.ChatClient;
using OrleansSessions.Responders;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Client.ChatClients;

/// <summary>An agent of Microsoft's Agent Framework whose conversations are sessions.</summary>
public sealed class AgentTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _question = $"Why {Guid.NewGuid():n}?";

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task Agent_WithTwoTurns_StreamsBoth_InOneSession()
    {
        var token = TestContext.Current.CancellationToken;
        await using var client = new SessionChatClient(gateway.Host.Address);
        var agent = new ChatClientAgent(client, instructions: "Be brief.");
        var conversation = await agent.CreateSessionAsync(token);
        gateway.Cluster.Responder.For(_question + 1).Send("On").Send("e.").Finish();
        gateway.Cluster.Responder.For(_question + 2).Send("Two.").Finish();

        var first = await agent.RunStreamingAsync(_question + 1, conversation, cancellationToken: token).ToListAsync(token);
        var stored = await agent.SerializeSessionAsync(conversation, cancellationToken: token);
        var restored = await agent.DeserializeSessionAsync(stored, cancellationToken: token);
        var second = await agent.RunAsync(_question + 2, restored, cancellationToken: token);

        Assert.Equal(("One.", "Two."), (string.Concat(first.Select(update => update.Text)), second.Text));
        var context = gateway.Cluster.Responder.For(_question + 2).Latest!;
        Assert.Equal(Assert.IsType<ChatClientAgentSession>(conversation).ConversationId, context.SessionId);
        Assert.Equal([new AnsweredQuestion(_question + 1, "One.")], context.History);
    }

    [Fact]
    public async Task Agent_ThatIsInterrupted_GoesOnFromItsToken()
    {
        var token = TestContext.Current.CancellationToken;
        await using var client = new SessionChatClient(gateway.Host.Address);
        var agent = new ChatClientAgent(client);
        var conversation = await agent.CreateSessionAsync(token);
        var script = gateway.Cluster.Responder.For(_question).Send("one ");
        var options = new ChatClientAgentRunOptions(new() { AllowBackgroundResponses = true });
        AgentResponseUpdate? last = null;
        await foreach (var update in agent.RunStreamingAsync(_question, conversation, options, token))
        {
            last = update;
            if (update.Text.Length > 0)
            {
                break;
            }
        }

        script.Send("two").Finish();
        options.ChatOptions!.ContinuationToken = last!.ContinuationToken;
        var rest = await agent.RunStreamingAsync([], conversation, options, token).ToListAsync(token);

        Assert.Equal(("one ", "two", 1), (last.Text, string.Concat(rest.Select(update => update.Text)), script.Runs));
    }
}
