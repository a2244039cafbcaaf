using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>What a client and an operator learn when the upstream fails, and what neither of them is shown.</summary>
[Collection(typeof(PatientModelServerUsers))]
public sealed class UpstreamFailureTests(PatientModelServer server)
{
    private const string Asked = "Whose birthday is it?";
    private const string Words = "The question about a birthday used the key";
    private const string Overloaded = $$$"""{"error":{"message":"{{{Words}}} {{{PatientModelServer.Key}}} too often.","type":"requests","code":"rate_limit_exceeded"}}""";

    [Fact]
    public async Task Wait_ThatTheUpstreamAsksFor_ReachesASocketInDone()
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync(Asked);

        await RefuseAsync(await server.NextAsync());

        await client.PumpUntilDoneAsync(question);
        var done = question.End!.Value;
        Assert.Equal(("failed", DoneReasons.ResponderUnavailable), (done.Text("status"), done.Text("reason")));
        Assert.True(done.Flag("retryable"));
        Assert.Equal(20_000, done.Number("retry_after_ms"));
        Assert.Contains("429", done.Text("message")!, StringComparison.Ordinal);
        AssertTellsNothing(done.GetRawText());
    }

    [Fact]
    public async Task Wait_ThatTheUpstreamAsksFor_IsInTheQuestionOverHttp()
    {
        var session = Names.Session();
        var asking = server.Server.Http.AskAsync(session, $$"""{"question":"{{Asked}}","id":"q-1"}""", ("Prefer", "wait=15"));

        await RefuseAsync(await server.NextAsync());

        var asked = await asking;
        var read = await server.Server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions/q-1");
        foreach (var question in new[] { asked.Body, read.Body })
        {
            Assert.Equal(("failed", DoneReasons.ResponderUnavailable), (question.Text("status"), question.Text("reason")));
            Assert.Equal((true, 20_000), (question.Flag("retryable"), question.Number("retry_after_ms")));
        }
    }

    [Fact]
    public async Task Wait_ThatTheUpstreamAsksFor_IsInTheBasicFrame()
    {
        await using var socket = await CheckedSocket.ConnectAsync(server.Server.Socket(Names.Session()), WireProfile.Basic);
        await socket.AskAsync(Asked, "q-1");

        await RefuseAsync(await server.NextAsync());

        var frame = await socket.ExpectAsync("error");
        Assert.Equal(("failed", DoneReasons.ResponderUnavailable, "q-1"), (frame.Text("status"), frame.Text("code"), frame.Text("question_id")));
        Assert.Equal(20_000, frame.Number("retry_after_ms"));
        AssertTellsNothing(frame.GetRawText());
    }

    [Fact]
    public async Task ErrorEvent_InTheMiddleOfAnAnswer_FailsTheQuestionAndKeepsItsText()
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync(Asked);
        var exchange = await server.NextAsync();
        await exchange.StartAsync();
        await exchange.SendTextAsync("Grandmother ");
        await client.PumpUntilAsync(() => question.NextDelta == 1, "the first delta, while the upstream is still open");

        await exchange.SendBodyAsync($$$"""data: {"error":{"message":"{{{Words}}} {{{PatientModelServer.Key}}}.","type":"server_error","code":"engine_overloaded"}}""" + "\n\n");

        await client.PumpUntilDoneAsync(question);
        var done = question.End!.Value;
        Assert.Equal(("failed", DoneReasons.ResponderError, "Grandmother "), (done.Text("status"), done.Text("reason"), question.Answer.ToString()));
        Assert.True(done.Flag("retryable"));
        Assert.Contains("engine_overloaded", done.Text("message")!, StringComparison.Ordinal);
        AssertTellsNothing(done.GetRawText());

        // The upstream has sent no end, so its connection is of no more use.
        await ModelServer.UntilClosedAsync(exchange);
        await AssertLogAsync(question.Id, "HTTP status 200", "content type text/event-stream", "error type server_error", "error code engine_overloaded");
    }

    [Fact]
    public async Task Field_ThatTheUpstreamRefuses_IsNamedToTheClientWithWhatToDo()
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync(Asked);

        await (await server.NextAsync()).AnswerAsync(
            400, "application/json", $$$"""{"error":{"message":"{{{Words}}}.","type":"invalid_request_error","param":"stream_options","code":"unknown_parameter"}}""");

        await client.PumpUntilDoneAsync(question);
        var done = question.End!.Value;
        Assert.Equal(("failed", DoneReasons.ResponderError, false), (done.Text("status"), done.Text("reason"), done.Flag("retryable")));
        Assert.Contains("'stream_options'", done.Text("message")!, StringComparison.Ordinal);
        Assert.Contains("Responder:OpenAI:StreamUsage", done.Text("message")!, StringComparison.Ordinal);
        AssertTellsNothing(done.GetRawText());
        await AssertLogAsync(question.Id, "HTTP status 400", "error code unknown_parameter", "refused field stream_options");
    }

    [Fact]
    public async Task Log_OfAFailure_HasWhatAnOperatorNeeds_AndNoWordsOfAnyone()
    {
        await using var client = await server.ConnectAsync();
        var question = await client.AskAsync(Asked);

        var exchange = await server.NextAsync();
        Assert.Equal($"Bearer {PatientModelServer.Key}", exchange.Headers["Authorization"]);
        await RefuseAsync(exchange);

        await client.PumpUntilDoneAsync(question);
        await AssertLogAsync(
            question.Id, new Uri(server.Upstream.Origin).Authority, DoneReasons.ResponderUnavailable, "HTTP status 429", "content type application/json",
            "error type requests", "error code rate_limit_exceeded");
    }

    private static Task RefuseAsync(RawExchange exchange) => exchange.AnswerAsync(429, "application/json", Overloaded, ("Retry-After", "20"));

    private static void AssertTellsNothing(string text)
    {
        Assert.DoesNotContain(PatientModelServer.Key, text, StringComparison.Ordinal);
        Assert.DoesNotContain(Words, text, StringComparison.Ordinal);
    }

    private async Task AssertLogAsync(string questionId, params string[] facts)
    {
        var line = "";
        await Eventually.TrueAsync(
            () => (line = server.Server.Output.Split('\n').FirstOrDefault(line => line.Contains($"question {questionId} failed at the upstream", StringComparison.Ordinal)) ?? "").Length > 0,
            $"the log says why {questionId} failed");
        Assert.All(facts, fact => Assert.Contains(fact, line, StringComparison.Ordinal));
        AssertTellsNothing(server.Server.Output);
        Assert.DoesNotContain("birthday", server.Server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Grandmother ", server.Server.Output, StringComparison.Ordinal);
    }
}
