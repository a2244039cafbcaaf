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

    [Fact]
    public async Task Answer_GoesOnInAnotherClient_AfterTheTextThatTheFirstOneRead()
    {
        string stored;
        var text = new StringBuilder();
        await using (var first = await ConnectAsync())
        {
            await using var reader = first.AskAsync(Long, cancellationToken: Token).GetAsyncEnumerator(Token);
            while (text.Length < 40)
            {
                Assert.True(await reader.MoveNextAsync());
                text.Append((reader.Current as AnswerText)?.Text);
            }

            stored = reader.Current.Position.ToString();
        }

        await using var second = await ConnectAsync();
        var answer = second.ResumeAsync(AnswerPosition.Parse(stored), Token);
        var updates = await ReadAsync(answer);

        Assert.DoesNotContain(updates, update => update is AnswerRestarted);
        Assert.Equal(Long, text + Text(updates));
        Assert.Equal(Long, (await answer).Text);
    }

    [Fact]
    public async Task Question_OfAnotherClient_IsFollowed_AndCancelled()
    {
        await using var asker = await ConnectAsync();
        await using var other = await ConnectAsync();
        var following = ReadUntilEndAsync(other.FollowAsync());
        var answer = asker.AskAsync(Long, cancellationToken: Token);
        await foreach (var update in answer)
        {
            if (update is AnswerText)
            {
                await other.CancelAsync(cancellationToken: Token);
                break;
            }
        }

        var end = await answer;
        var followed = await following;

        Assert.Equal((QuestionStatus.Cancelled, DoneReasons.ByClient), (end.Status, end.Reason));
        Assert.Equal((Long, end.Text), (followed[0].Question, Text(followed)));
        Assert.Equal(end, ((AnswerEnded)followed[^1]).End);
        Assert.Equal("question_not_found", (await Assert.ThrowsAsync<SessionRefusedException>(() => other.CancelAsync("q-none", Token))).Code);
    }

    [Fact]
    public async Task Refusal_SaysWhoIsAnswered_AndAQueuedQuestionWaits()
    {
        await using var client = await ConnectAsync();
        var running = client.AskAsync(Long, cancellationToken: Token);

        var refusal = await Assert.ThrowsAsync<SessionRefusedException>(() => client.AskAsync("And?", cancellationToken: Token).WholeAsync(Token));
        var queued = client.AskAsync("Then?", new() { IfBusy = IfBusy.Queue }, Token);
        var replacing = await client.AskAsync("Now!", new() { IfBusy = IfBusy.Replace }, Token);

        Assert.Equal(("session_busy", running.QuestionId, true), (refusal.Code, refusal.ActiveQuestionId, refusal.IsRetryable));
        Assert.NotNull(refusal.ActiveFor);
        Assert.Equal(("Now!", DoneReasons.Replaced, DoneReasons.Replaced), (replacing.Text, (await running).Reason, (await queued).Reason));
        var refused = await Assert.ThrowsAsync<SessionRefusedException>(
            () => client.AskAsync("With?", new() { Options = new() { ["model"] = "small" } }, Token).WholeAsync(Token));
        Assert.Equal(("bad_request", "options.model"), (refused.Code, refused.Parameter));
        Assert.Equal([Long, "Then?", "Now!"], (await client.GetHistoryAsync(cancellationToken: Token)).Select(question => question.Question));
        Assert.Equal("Now!", (await client.GetQuestionAsync(replacing.QuestionId, Token))?.Text);
        Assert.Null(await client.GetQuestionAsync("q-none", Token));
    }

    [Fact]
    public async Task RemovedSession_StopsTheClient_AndItsAnswersSaySo()
    {
        await using var client = await ConnectAsync();
        var answer = client.AskAsync(Long, cancellationToken: Token);
        await using var reader = answer.GetAsyncEnumerator(Token);
        await reader.MoveNextAsync();

        using var removed = await server.Http.DeleteAsync(new Uri($"v1/sessions/{_session}", UriKind.Relative), Token);

        Assert.Equal(SessionStopReason.SessionRemoved, (await client.Stopped).Reason);
        Assert.Equal(DoneReasons.SessionRemoved, (await answer).Reason);
        var late = client.AskAsync("Anyone?", cancellationToken: Token);
        Assert.Equal(SessionStopReason.SessionRemoved, (await Assert.ThrowsAsync<SessionStoppedException>(() => late.WholeAsync(Token))).Reason);
    }

    private Task<SessionClient> ConnectAsync() => SessionClient.ConnectAsync(server.Server.Address, _session, null, Token);

    private static async Task<List<AnswerUpdate>> ReadUntilEndAsync(IAsyncEnumerable<AnswerUpdate> updates)
    {
        var read = new List<AnswerUpdate>();
        await foreach (var update in updates)
        {
            read.Add(update);
            if (update is AnswerEnded)
            {
                break;
            }
        }

        return read;
    }

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
