using Microsoft.Extensions.AI;
using OrleansSessions.Client.ChatClient;
using OrleansSessions.Responders;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.Tests.Durability;
using Xunit;

namespace OrleansSessions.Tests.Client.ChatClients;

/// <summary>A process is lost in mid-answer, and its callers go on with another one, in a new epoch.</summary>
public sealed class RestartedServerTests
{
    private static readonly ChatOptions Background = new() { AllowBackgroundResponses = true };

    [Fact]
    public async Task Token_OfAProcessThatWasLost_GoesOnWhereTheTextIsTheSame_AndSaysWhereItIsAnother()
    {
        var token = TestContext.Current.CancellationToken;
        await using var pair = await FailoverPair.StartAsync();
        await using var firstHost = await SocketHost.StartAsync(pair.First.Cluster.Orleans.Client);
        await using var secondHost = await SocketHost.StartAsync(pair.Second.Cluster.Orleans.Client);
        await using var first = new SessionChatClient(firstHost.Address);
        await using var second = new SessionChatClient(secondHost.Address);
        var responder = pair.Second.Cluster.Responder;

        // The text was saved, and the responder continues it.
        var continued = await InterruptAsync("continued", "one ");
        responder.Recovery = RecoveryMode.Continue;
        responder.For("continued").Send("two").Finish();
        var rest = await ContinueAsync(continued).ToListAsync(token);
        Assert.Equal("two", string.Concat(rest.Select(update => update.Text)));

        // The responder is asked again, and begins with the same words.
        var repeated = await InterruptAsync("repeated", "one ");
        responder.Recovery = RecoveryMode.AskAgain;
        responder.For("repeated").Send("on").Send("e two").Finish();
        rest = await ContinueAsync(repeated).ToListAsync(token);
        Assert.Equal("two", string.Concat(rest.Select(update => update.Text)));

        // It begins with other words: the caller has to drop its text.
        var other = await InterruptAsync("other", "one ");
        responder.For("other").Send("Two ").Send("one.").Finish();
        var restarted = await Assert.ThrowsAsync<AnswerRestartedException>(async () => await ContinueAsync(other).ToListAsync(token));
        rest = await ContinueAsync(restarted.ContinuationToken).ToListAsync(token);
        Assert.Equal(("Two one.", ChatFinishReason.Stop), (string.Concat(rest.Select(update => update.Text)), rest[^1].FinishReason));

        async Task<ResponseContinuationToken> InterruptAsync(string question, string text)
        {
            pair.First.Cluster.Responder.For(question).Send(text);
            await using var updates = first.GetStreamingResponseAsync(question, Background, token).GetAsyncEnumerator(token);
            while (await updates.MoveNextAsync() && updates.Current.Text.Length == 0)
            {
            }

            Assert.Equal(text, updates.Current.Text);
            var session = updates.Current.ConversationId!;
            await pair.SavedAsync(session, text);
            pair.Crash(session);
            return ResponseContinuationToken.FromBytes(updates.Current.ContinuationToken!.ToBytes());
        }

        IAsyncEnumerable<ChatResponseUpdate> ContinueAsync(ResponseContinuationToken from) =>
            second.GetStreamingResponseAsync([], new() { ContinuationToken = from }, token);
    }
}
