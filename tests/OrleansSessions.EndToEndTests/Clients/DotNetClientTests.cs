using System.Text;
using OrleansSessions.Chaos.Proxies;
using OrleansSessions.Client;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>A server that echoes a word every 20 ms, and lets clients come back at once.</summary>
public sealed class QuickReturnFixture() : ServerFixture(
    "Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00.020", "SocketGateway:ReconnectMin=00:00:00.010",
    "SocketGateway:ReconnectMax=00:00:00.050");

/// <summary>The .NET client with the real server.</summary>
public sealed class DotNetClientTests(QuickReturnFixture server) : IClassFixture<QuickReturnFixture>
{
    private static readonly string Long = string.Join(' ', Enumerable.Range(0, 40).Select(number => $"wörd{number} 😀"));
    private readonly string _session = Names.Session("net");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ask_IsAnswered_AsPiecesAndAsAWhole()
    {
        await using var client = await ConnectAsync();

        var answer = client.AskAsync("Is this a silo?", cancellationToken: Token);
        var updates = await ReadAsync(answer);
        var end = await answer;

        Assert.IsType<AnswerAccepted>(updates[0]);
        Assert.Equal("Is this a silo?", Text(updates));
        Assert.Equal(("Is this a silo?", QuestionStatus.Completed, answer.QuestionId), (end.Text, end.Status, end.QuestionId));
        Assert.Equal(end, Assert.IsType<AnswerEnded>(updates[^1]).End);
    }

    [Fact]
    public async Task Answer_SurvivesConnectionsThatAreReset_AgainAndAgain()
    {
        await using var proxy = new FaultProxy(readsNames: false) { Target = server.Server.Address.Port };
        var states = new List<SessionState>();
        await using var client = await SessionClient.ConnectAsync(
            new($"http://127.0.0.1:{proxy.Port}"), _session, new() { OnStateChanged = change => states.Add(change.State) }, Token);

        var (text, cuts) = (new StringBuilder(), 0);
        var answer = client.AskAsync(Long, cancellationToken: Token);
        await foreach (var update in answer)
        {
            if (update is AnswerText piece)
            {
                text.Append(piece.Text);
                if (text.Length > cuts * 80)
                {
                    cuts++;
                    foreach (var link in proxy.Links)
                    {
                        link.Reset();
                    }
                }
            }

            Assert.IsNotType<AnswerRestarted>(update);
        }

        Assert.Equal((Long, Long), (text.ToString(), (await answer).Text));
        Assert.True(cuts >= 4, $"Only {cuts} connections were cut.");
        Assert.Contains(SessionState.Reconnecting, states);
    }

    private Task<SessionClient> ConnectAsync(string? session = null) => SessionClient.ConnectAsync(server.Server.Address, session ?? _session, null, Token);

    private static async Task<List<AnswerUpdate>> ReadAsync(IAsyncEnumerable<AnswerUpdate> updates)
    {
        var read = new List<AnswerUpdate>();
        await foreach (var update in updates)
        {
            read.Add(update);
        }

        return read;
    }

    private static string Text(IEnumerable<AnswerUpdate> updates) => string.Concat(updates.OfType<AnswerText>().Select(piece => piece.Text));
}
