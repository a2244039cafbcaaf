using System.Text;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Sockets;

/// <summary>The rows of the table of bad input after which the socket remains open. <see cref="CloseCodeTests"/> has those that close it.</summary>
public sealed class BadInputTests(ExternalServerFixture server) : IClassFixture<ExternalServerFixture>
{
    [Theory]
    [InlineData("hello", null, null)]
    [InlineData("", null, null)]
    [InlineData("[1]", null, null)]
    [InlineData("\"question\"", null, null)]
    [InlineData("""{"type":"question","question":"a","question":"b"}""", null, null)]
    [InlineData("""{"type":"question","id":"q-1","question":7}""", "question", "q-1")]
    [InlineData("""{"type":"question","id":7,"question":"a"}""", "id", null)]
    [InlineData("""{"type":"question","id":"q-1","question":"half \ud83d of it"}""", "question", "q-1")]
    [InlineData("""{"type":"question","id":"q-1","question":""}""", "question", "q-1")]
    [InlineData("""{"type":"question","id":"q-1"}""", "question", "q-1")]
    [InlineData("""{"type":"question","id":"no spaces","question":"a"}""", "id", null)]
    [InlineData("""{"type":"question","id":"..","question":"a"}""", "id", null)]
    [InlineData("""{"type":"question","id":"q-1","question":"a","if_busy":"maybe"}""", "if_busy", "q-1")]
    [InlineData("""{"type":"question","id":"q-1","question":"a","metadata":[]}""", "metadata", "q-1")]
    [InlineData("""{"type":"question","id":"q-1","question":"a","options":[]}""", "options", "q-1")]
    [InlineData("""{"type":"question","id":"q-1","question":"a","options":{"model":"m"}}""", "options.model", "q-1")]
    [InlineData("""{"type":"question","id":"q-1","question":"a","options":{"model":1,"model":2}}""", "model", "q-1")]
    [InlineData("""{"type":"cancel","question_id":"no spaces"}""", "question_id", null)]
    [InlineData("""{"type":"resume","after_seq":1}""", "epoch", null)]
    [InlineData("""{"type":"resume","epoch":"e1","after_seq":-1}""", "after_seq", null)]
    [InlineData("""{"type":"auth","token":""}""", "token", null)]
    [InlineData("{}", "type", null)]
    public async Task BadRequest_LeavesSocketAndSessionAsTheyWere(string frame, string? param, string? questionId)
    {
        await RefusesAsync(WireErrors.BadRequest, frame, param, questionId);
    }

    [Theory]
    [InlineData("""{"type":"shout","id":"q-1","question":"a"}""", "q-1")]
    [InlineData("""{"type":"hello"}""", null)]
    public async Task UnknownType_LeavesSocketAndSessionAsTheyWere(string frame, string? questionId)
    {
        await RefusesAsync(WireErrors.UnknownType, frame, "type", questionId);
    }

    private async Task RefusesAsync(WireError code, string frame, string? param, string? questionId)
    {
        var session = Names.Session();
        await using var socket = await server.OpenAsync(session);

        await socket.SendRawAsync(Encoding.UTF8.GetBytes(frame));

        var error = await socket.ExpectErrorAsync(code);
        Assert.Equal((param, questionId), (param is null ? null : error.Text("param"), error.Text("question_id")));
        Assert.False(error.Flag("retryable"));
        await socket.AskAsync("a good one", "q-1");
        Assert.Equal(1, (await socket.ExpectAsync("accepted")).Number("seq"));
    }
}
