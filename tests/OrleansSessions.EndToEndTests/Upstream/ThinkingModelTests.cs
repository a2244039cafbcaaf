using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>A server whose timers are so short that a test can wait for each.</summary>
public sealed class ImpatientModelServer() : ModelServer(
    "Responder:OpenAI:Model=thinker", "Sessions:FirstDeltaTimeout=00:00:02", "Sessions:SilenceTimeout=00:00:01.2", "Sessions:AnswerTimeout=00:00:04.5");

/// <summary>A model that thinks before it writes: signs of life keep its question open, and each timer ends it where they should be.</summary>
public sealed class ThinkingModelTests(ImpatientModelServer server) : IClassFixture<ImpatientModelServer>
{
    // Far below the silence timer, so that a busy machine does not make a silence of it.
    private static readonly TimeSpan SignInterval = TimeSpan.FromMilliseconds(100);

    // Longer than the wait for the first sign and than the silence timer, and shorter than the total.
    private static readonly TimeSpan LongThought = TimeSpan.FromSeconds(2.5);

    /// <summary>What a model that thinks sends.</summary>
    public enum Sign
    {
        Thoughts,
        Comments,
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Sign.Thoughts)]
    [InlineData(Sign.Comments)]
    public async Task Model_ThatThinksLongerThanTwoTimers_Completes(Sign sign)
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync("What is the meaning of it all?");
        var exchange = await server.NextAsync();
        await exchange.StartAsync();

        await GiveSignsAsync(exchange, sign, LongThought);
        Assert.DoesNotContain(client.Socket.Frames, frame => frame.Contains("\"delta\"", StringComparison.Ordinal) || frame.Contains("\"done\"", StringComparison.Ordinal));
        await exchange.SendTextAsync("42");
        await exchange.FinishAsync();

        await client.PumpUntilDoneAsync(question);
        Assert.Equal(("completed", "42"), (question.Status, question.Answer.ToString()));
        Assert.InRange(question.End!.Value.Number("first_ms")!.Value, 2000, 4500);
    }

    [Fact]
    public async Task Question_WhileTheModelThinks_IsAccepted_AndHasTheTimeOfAllSigns()
    {
        var session = Names.Session();
        await using var socket = await server.AskAsync("""{"type":"question","question":"Can you think?","id":"q-1"}""", session);
        var exchange = await server.NextAsync();
        await exchange.StartAsync();

        // Without the signs, less than 100 ms would be left after this.
        await GiveSignsAsync(exchange, Sign.Thoughts, TimeSpan.FromSeconds(1.9));

        var thinking = (await server.Server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions/q-1")).Body;
        Assert.Equal(("accepted", ""), (thinking.Text("state"), thinking.Text("text")));
        Assert.InRange(thinking.Number("deadline_ms")!.Value, 150, 1200);
        await exchange.SendTextAsync("Yes.");
        await exchange.FinishAsync();
        Assert.Equal("completed", (await socket.UntilAsync("done")).Text("status"));
    }

    [Theory]
    [InlineData(Sign.Thoughts)]
    [InlineData(Sign.Comments)]
    public async Task Silence_AfterSigns_EndsTheQuestionAndTheConnection(Sign sign)
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync("Are you still there?");
        var exchange = await server.NextAsync();
        await exchange.StartAsync();

        await GiveSignsAsync(exchange, sign, TimeSpan.FromSeconds(0.3));

        await AssertTimeoutAsync(client, question, exchange, DoneReasons.TimeoutIdle);
        Assert.InRange(question.End!.Value.Number("total_ms")!.Value, 1200, 4500);
    }

    [Fact]
    public async Task Silence_AfterText_EndsTheQuestionAndKeepsTheText()
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync("Go on?");
        var exchange = await server.NextAsync();
        await exchange.StartAsync();

        await exchange.SendTextAsync("And then");

        await AssertTimeoutAsync(client, question, exchange, DoneReasons.TimeoutIdle, "And then");
    }

    [Fact]
    public async Task Signs_WithoutEnd_EndWithTheTotal()
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync("How long can you think?");
        var exchange = await server.NextAsync();
        await exchange.StartAsync();

        // It ends when the connection does.
        await GiveSignsAsync(exchange, Sign.Thoughts, TimeSpan.FromSeconds(15));

        await AssertTimeoutAsync(client, question, exchange, DoneReasons.TimeoutTotal);
        Assert.InRange(question.End!.Value.Number("total_ms")!.Value, 4500, 15_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Model_ThatGivesNoSign_EndsWithTheFirstTimer(bool sendsHead)
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync("Anybody there?");
        var exchange = await server.NextAsync();

        if (sendsHead)
        {
            // The head is no sign of life of the model: servers send it before the model has begun.
            await exchange.StartAsync();
        }

        await AssertTimeoutAsync(client, question, exchange, DoneReasons.TimeoutFirstDelta);
        Assert.InRange(question.End!.Value.Number("total_ms")!.Value, 2000, 4500);
    }

    private static async Task AssertTimeoutAsync(ReferenceClient client, ReferenceQuestion question, RawExchange exchange, string reason, string text = "")
    {
        await client.PumpUntilDoneAsync(question);
        Assert.Equal(("timeout", reason, text), (question.Status, question.End!.Value.Text("reason"), question.Answer.ToString()));
        await ModelServer.UntilClosedAsync(exchange);
    }

    /// <summary>Gives sign after sign for this time, or until the server has closed the connection.</summary>
    private static async Task GiveSignsAsync(RawExchange exchange, Sign sign, TimeSpan duration)
    {
        using var timer = new PeriodicTimer(SignInterval, TimeProvider.System);
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < duration && !exchange.ClosedByClient.IsCompleted)
        {
            try
            {
                await exchange.SendBodyAsync(sign == Sign.Thoughts ? ModelResponses.Thought : ModelResponses.Comment);
            }
            catch (IOException)
            {
                // The server has closed the connection between the look and the send.
                return;
            }

            await timer.WaitForNextTickAsync(Token);
        }
    }
}
