using Microsoft.Extensions.AI;
using OrleansSessions.Responders.ChatClient;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Responders.ChatClients;

/// <summary>A chat client behind a whole server: a socket, a session, the responder.</summary>
public sealed class ChatClientSessionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task ChatClient_AnswersInASession_RemembersIt_AndStopsWhenItsQuestionIsCancelled()
    {
        var token = TestContext.Current.CancellationToken;
        var client = new ScriptedChatClient();
        await using var cluster = await SessionCluster.StartAsync(
            responderName: "model", configureSilo: silo => silo.Services.AddChatClientResponder("model", _ => client, configPrefix: null));
        await using var host = await SocketHost.StartAsync(cluster.Orleans.Client);
        await using var socket = await host.ConnectV1Async("s");
        Assert.Equal("model", (await socket.NextAsync("hello")).GetProperty("responder").GetString());

        client.Send("Say").Send(" what?").Finish(ChatFinishReason.Length);
        await socket.SendAsync("""{"question":"hello","id":"a"}""");
        var first = await socket.UntilAsync("done");
        client.Send("Again");
        await socket.SendAsync("""{"question":"and now?","id":"b"}""");
        await socket.UntilAsync("delta");
        await socket.SendAsync("""{"type":"cancel","question_id":"b"}""");
        var second = (await socket.UntilAsync("done"))[^1];

        var texts = first.Where(frame => frame.TryGetProperty("text", out _)).Select(frame => frame.GetProperty("text").GetString());
        Assert.Equal("Say what?", string.Concat(texts));
        Assert.Equal(("incomplete", "length"), (first[^1].GetProperty("status").GetString(), first[^1].GetProperty("reason").GetString()));
        Assert.Equal("cancelled", second.GetProperty("status").GetString());
        await client.Cancelled.WaitAsync(Patience, token);
        await client.Requests.ReadAsync(token);
        Assert.Equal(
            [(ChatRole.User, "hello"), (ChatRole.Assistant, "Say what?"), (ChatRole.User, "and now?")],
            (await client.Requests.ReadAsync(token)).Messages.Select(message => (message.Role, message.Text)));
    }
}
