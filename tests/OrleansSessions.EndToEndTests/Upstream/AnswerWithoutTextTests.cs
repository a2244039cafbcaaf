using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>A model that used all its tokens for thinking: the question ends without text.</summary>
[Collection(typeof(PatientModelServerUsers))]
public sealed class AnswerWithoutTextTests(PatientModelServer server)
{
    [Fact]
    public async Task Question_AfterAnAnswerWithoutText_IsSentWithoutTheUnansweredOne()
    {
        await using var client = await server.ConnectAsync();
        var unanswered = await client.AskAsync("Think hard.");
        var exchange = await server.NextAsync();
        await exchange.StartAsync();
        await exchange.SendBodyAsync(ModelResponses.Thought);
        await exchange.FinishAsync("length");
        await client.PumpUntilDoneAsync(unanswered);
        Assert.Equal(DoneReasons.Length, unanswered.End!.Value.Text("reason"));
        Assert.Equal("", unanswered.Answer.ToString());

        var second = await client.AskAsync("Then say hello.");
        exchange = await server.NextAsync();
        Assert.Equal([("system", "Be brief."), ("user", "Then say hello.")], exchange.Messages());
        await exchange.AnswerAsync("Hello.");
        await client.PumpUntilDoneAsync(second);

        var third = await client.AskAsync("And goodbye?");
        exchange = await server.NextAsync();
        Assert.Equal([("system", "Be brief."), ("user", "Then say hello."), ("assistant", "Hello."), ("user", "And goodbye?")], exchange.Messages());
        await exchange.AnswerAsync("Goodbye.");
        await client.PumpUntilDoneAsync(third);
    }
}
