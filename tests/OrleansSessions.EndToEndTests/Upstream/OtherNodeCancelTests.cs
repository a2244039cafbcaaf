using OrleansSessions.EndToEndTests.Clusters;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>Two nodes of one cluster that ask the same upstream.</summary>
public sealed class OtherNodeCancelTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cancel_FromEitherNode_IsSeenByTheUpstreamAsAClosedConnection()
    {
        await using var upstream = await RawUpstream.StartAsync();
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.Garnet);
        string[] settings = ["Responder:Name=openai", $"Responder:OpenAI:Endpoint={upstream.Endpoint}", "Responder:OpenAI:Model=shared"];
        var a = await nodes.AddAsync(settings);
        var b = await nodes.AddAsync(settings);

        var session = Names.Session();
        await using var onA = await OpenAsync(a, session);
        await using var onB = await OpenAsync(b, session);

        // The session is on one of the two nodes, so one of the two cancels comes from the other.
        foreach (var (id, asking, cancelling) in new[] { ("q-1", onA, onB), ("q-2", onB, onA) })
        {
            await asking.AskAsync("Tell me a long story.", id);
            var exchange = await upstream.NextAsync(Token).WaitAsync(Patience, TimeProvider.System, Token);
            await exchange.StartAsync();
            await exchange.SendTextAsync("Once ");
            Assert.Equal("Once ", (await cancelling.UntilAsync("delta", id)).Text("text"));

            await cancelling.CancelAsync(id);

            await exchange.ClosedByClient.WaitAsync(Patience, TimeProvider.System, Token);
            foreach (var socket in new[] { asking, cancelling })
            {
                var done = await socket.UntilAsync("done", id);
                Assert.Equal(("cancelled", DoneReasons.ByClient), (done.Text("status"), done.Text("reason")));
            }
        }
    }

    private static async Task<CheckedSocket> OpenAsync(ServerProcess node, string session)
    {
        var socket = await CheckedSocket.ConnectAsync(node.Socket(session));
        await socket.ExpectAsync("hello");
        return socket;
    }
}
