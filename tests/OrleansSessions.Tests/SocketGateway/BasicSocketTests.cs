using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class BasicSocketTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _session = GatewayFixture.NewSession();

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    [Theory]
    [InlineData("question", "")]
    [InlineData("content", "\"type\":\"message\",")]
    [InlineData("content", "\"type\":7,\"epoch\":5,\"question\":null,")]
    public async Task AnyObjectWithAQuestionOrContent_IsAnsweredInOneFrame(string field, string others)
    {
        var text = _session + field + others.Length;
        gateway.Cluster.Responder.For(text).Send("Hello ").Send("you").Finish();
        await using var socket = await gateway.Host.ConnectBasicAsync(_session);
        await socket.SendAsync($$"""{{{others}}"{{field}}":"{{text}}"}""");

        var frame = await socket.NextAsync("response");
        Assert.Equal(("Hello you", "completed"), (frame.GetProperty("data").GetString(), frame.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task Ask_WhileAnotherIsInFlight_GetsTheManagersExactMessage_AndOneTerminalFrameFollows()
    {
        var script = gateway.Cluster.Responder.For(_session).Send("a");
        await using var socket = await gateway.Host.ConnectBasicAsync(_session);
        await socket.SendAsync($$"""{"question":"{{_session}}"}""");
        await script.Started.WaitAsync(TimeSpan.FromSeconds(10));
        await socket.SendAsync("""{"question":"too early"}""");

        var busy = await socket.NextAsync("error");
        Assert.Equal(("Please wait for the previous response", "session_busy"), (busy.GetProperty("message").GetString(), busy.GetProperty("code").GetString()));
        script.Finish();
        Assert.Equal("a", (await socket.NextAsync("response")).GetProperty("data").GetString());
    }

    [Fact]
    public async Task AnotherSocketsQuestion_SendsNothing()
    {
        gateway.Cluster.Responder.For(_session).Send("a").Finish();
        gateway.Cluster.Responder.For(_session + "2").Send("b").Finish();
        await using var asker = await gateway.Host.ConnectBasicAsync(_session);
        await using var other = await gateway.Host.ConnectBasicAsync(_session);
        await other.SendAsync("""{}""");
        await other.NextAsync("error");
        await asker.SendAsync($$"""{"question":"{{_session}}"}""");
        await asker.NextAsync("response");
        await other.SendAsync($$"""{"question":"{{_session}}2"}""");

        Assert.Equal("b", (await other.NextAsync("response")).GetProperty("data").GetString());
    }

    [Fact]
    public async Task QuestionThatFails_EndsAsAnErrorWithTheTextSoFar()
    {
        gateway.Cluster.Responder.For(_session).Send("half").Fail(new InvalidOperationException("broken"));
        await using var socket = await gateway.Host.ConnectBasicAsync(_session);
        await socket.SendAsync($$"""{"question":"{{_session}}","id":"q-1"}""");

        var frame = await socket.NextAsync("error");
        Assert.Equal(("responder_error", "failed", "q-1"), (frame.GetProperty("code").GetString(), frame.GetProperty("status").GetString(), frame.GetProperty("question_id").GetString()));
        Assert.Equal("half", frame.GetProperty("data").GetString());
    }

    [Fact]
    public async Task Cancel_EndsTheQuestionWithOneFrame()
    {
        gateway.Cluster.Responder.For(_session).Send("half");
        await using var socket = await gateway.Host.ConnectBasicAsync(_session);
        await socket.SendAsync($$"""{"question":"{{_session}}"}""");
        await gateway.Cluster.Responder.For(_session).Started.WaitAsync(TimeSpan.FromSeconds(10));
        await socket.SendAsync("""{"type":"cancel"}""");

        var frame = await socket.NextAsync("error");
        Assert.Equal(("by_client", "cancelled"), (frame.GetProperty("code").GetString(), frame.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task QuestionWithoutAnId_WhoseSocketIsGone_IsReplacedByTheNextAsk()
    {
        var abandoned = gateway.Cluster.Responder.For(_session);
        gateway.Cluster.Responder.For(_session + "next").Send("b").Finish();
        await using (var socket = await gateway.Host.ConnectBasicAsync(_session))
        {
            await socket.SendAsync($$"""{"question":"{{_session}}"}""");
            await abandoned.Started.WaitAsync(TimeSpan.FromSeconds(10));
        }

        await using var next = await gateway.Host.ConnectBasicAsync(_session);
        while (true)
        {
            await next.SendAsync($$"""{"question":"{{_session}}next"}""");
            var frame = await next.NextAsync();
            if (frame.GetProperty("type").GetString() == "response")
            {
                Assert.Equal("b", frame.GetProperty("data").GetString());
                break;
            }

            // The grain may not know yet that the socket is gone.
            Assert.Equal("session_busy", frame.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task AHalfOpenSocket_DoesNotBlockItsOwnersNextConnection()
    {
        var abandoned = gateway.Cluster.Responder.For(_session);
        gateway.Cluster.Responder.For(_session + "next").Send("b").Finish();
        await using var halfOpen = await gateway.Host.ConnectBasicAsync(_session);
        await halfOpen.SendAsync($$"""{"question":"{{_session}}"}""");
        await abandoned.Started.WaitAsync(TimeSpan.FromSeconds(10));

        await using var next = await gateway.Host.ConnectBasicAsync(_session);
        await next.SendAsync($$"""{"question":"{{_session}}next"}""");

        Assert.Equal("b", (await next.NextAsync("response")).GetProperty("data").GetString());
        Assert.Equal("replaced", (await halfOpen.NextAsync("error")).GetProperty("code").GetString());
    }

    [Fact]
    public async Task AnOlderSocketThatSpeaksAgain_KeepsItsQuestion()
    {
        var script = gateway.Cluster.Responder.For(_session);
        await using var older = await gateway.Host.ConnectBasicAsync(_session);
        await older.SendAsync($$"""{"question":"{{_session}}"}""");
        await script.Started.WaitAsync(TimeSpan.FromSeconds(10));
        await using var newer = await gateway.Host.ConnectBasicAsync(_session);

        // The reply shows that the newer socket is attached.
        await newer.SendAsync("{}");
        Assert.Equal("bad_request", (await newer.NextAsync("error")).GetProperty("code").GetString());
        await older.SendAsync("""{"question":"again"}""");
        Assert.Equal("session_busy", (await older.NextAsync("error")).GetProperty("code").GetString());
        await newer.SendAsync("""{"question":"mine"}""");
        Assert.Equal("session_busy", (await newer.NextAsync("error")).GetProperty("code").GetString());

        script.Send("a").Finish();
        Assert.Equal("a", (await older.NextAsync("response")).GetProperty("data").GetString());
    }

    [Fact]
    public async Task AnswerWhoseFrameWouldBeTooLarge_IsCutBetweenScalars()
    {
        // A control character takes one byte in UTF-8 and six in JSON.
        gateway.Cluster.Responder.For(_session).Send(new string('\u0001', 400_000) + "😀").Finish();
        await using var socket = await gateway.Host.ConnectBasicAsync(_session);
        await socket.SendAsync($$"""{"question":"{{_session}}"}""");

        var frame = await socket.NextAsync("response");
        Assert.Equal(("incomplete", "answer_too_large"), (frame.GetProperty("status").GetString(), frame.GetProperty("code").GetString()));
        Assert.InRange(frame.GetRawText().Length, 900_000, (1024 * 1024) - 1);
    }
}
