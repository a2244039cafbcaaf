using System.Text;
using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Schemas;
using Xunit;

namespace OrleansSessions.EndToEndTests;

/// <summary>A client in another language, written only from docs/protocol.md, with the real server. Nothing is lost, and nothing is repeated.</summary>
public sealed class PythonClientTests(EchoServer server) : IClassFixture<EchoServer>
{
    private static readonly string Question = string.Join(' ', Enumerable.Range(0, 60).Select(number => $"wörd{number} 😀"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PythonClient_AsAScript_PrintsTheAnswer()
    {
        PythonClient.SkipIfAbsent();

        Assert.Equal("Is  this\na silo?", (await PythonClient.AskAsync(server.SocketUrl("py-script"), "Is  this\na silo?", Token)).TrimEnd());
    }

    [Theory]
    [InlineData("py-drops", """{"drop":[1,4,8,10,16,20,26,33]}""", 9)]
    [InlineData("py-losses", """{"lose":[3,9,10,30,45]}""", 1)]
    [InlineData("py-rewinds", """{"rewind":[2,9,15,40]}""", 1)]
    [InlineData("py-everything", """{"drop":[1,4,8,10,16,20,26,33],"lose":[12,29,40],"rewind":[24,45,50]}""", 9)]
    public async Task PythonClient_ThatLosesItsConnectionAgainAndAgain_GetsTheWholeAnswer(string session, string plan, int connects)
    {
        PythonClient.SkipIfAbsent();

        var result = await PythonClient.AskOverBadConnectionAsync(server.SocketUrl(session), Question, plan, Token);

        // The text is complete, and the client itself has proved it.
        Assert.Equal(Question, result.GetProperty("text").GetString());
        Assert.Equal("completed", result.GetProperty("status").GetString());
        Assert.Equal(Encoding.UTF8.GetByteCount(Question), result.GetProperty("bytes").GetInt32());
        Assert.Equal(result.GetProperty("bytes").GetInt32(), result.GetProperty("utf8").GetInt32());
        Assert.Equal(result.GetProperty("deltas").GetInt32(), result.GetProperty("next").GetInt32());

        // One question, one accepted, one done: the last number is deltas + 2, and asking again added no events.
        Assert.Equal(result.GetProperty("deltas").GetInt32() + 2, result.GetProperty("last").GetInt32());
        Assert.Equal(result.GetProperty("last").GetInt32(), result.GetProperty("last_after_asking_again").GetInt32());

        // The connection failed according to the plan, in the middle of the answer.
        Assert.Equal(connects, result.GetProperty("connects").GetInt32());
        Assert.All(
            JsonSerializer.Deserialize<Dictionary<string, int[]>>(plan)!,
            deed => Assert.Equal(deed.Value.Length, result.GetProperty("done").GetProperty(deed.Key).GetInt32()));
        Assert.InRange(result.GetProperty("connections_with_text").GetInt32(), connects == 1 ? 1 : 4, connects);

        AssertFramesFitTheSchema(result);
    }

    private static void AssertFramesFitTheSchema(JsonElement result)
    {
        foreach (var frame in result.GetProperty("received").EnumerateArray())
        {
            FrameSchema.AssertServerFrame(WireProfile.V1, frame.GetRawText());
        }

        foreach (var frame in result.GetProperty("sent").EnumerateArray())
        {
            FrameSchema.AssertClientFrame(frame.GetRawText());
        }
    }
}
