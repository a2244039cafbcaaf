using System.Net;
using System.Text;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Http;

/// <summary>Streamed answers from the clients that back ends have: curl, Python's standard library and <see cref="HttpClient"/>.</summary>
public sealed class StreamedAnswerTests(ExternalServerFixture server) : IClassFixture<ExternalServerFixture>
{
    private const string NdJson = "application/x-ndjson";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Streams its first argument, then waits in the middle of its body until there is a reply, as a back end does whose model is silent.</summary>
    private const string Python = """
        import http.client, select, sys
        connection = http.client.HTTPConnection(sys.argv[1], timeout=20)
        def body():
            yield sys.argv[3].encode() + b"\n"
            select.select([connection.sock], [], [], 20)
        connection.request("POST", sys.argv[2], body(), {"Content-Type": "application/x-ndjson"})
        response = connection.getresponse()
        print(response.status, response.read().decode())
        """;

    private readonly string _session = Names.Session("stream");

    private HttpClient Http => server.Http;

    private string Path => $"/v1/sessions/{_session}/questions/q-1/answer";

    [Fact]
    public async Task Curl_StreamsWhatItReads()
    {
        await AskAsync();
        await using var curl = ChildProcess.Start("curl", "bash",
        [
            "-c", """printf '%s\n' "$2" "$3" | curl -sS --max-time 20 -T - -X POST -H "Content-Type: application/x-ndjson" "$1" """, "curl",
            new Uri(server.Server.Address, Path).AbsoluteUri, """{"attempt":1,"text":"Hello, "}""", """{"text":"all of you.","final":true}""",
        ]);

        Assert.Equal(0, await curl.ExitAsync(Patience));
        Assert.Equal("""{"offset":18}""", curl.Output);
        Assert.Equal(("Hello, all of you.", "completed"), await AnswerAsync());
    }

    [Fact]
    public async Task Python_ThatIsSilent_LearnsOfACancel()
    {
        PythonClient.SkipIfAbsent();
        await AskAsync();
        await using var python = ChildProcess.Start(
            "python3", "python3", ["-c", Python, server.Server.Address.Authority, Path, """{"attempt":1,"text":"half"}"""]);
        await UntilTextAsync("half");

        await CancelAsync();

        Assert.Equal(0, await python.ExitAsync(Patience));
        Assert.StartsWith("409 ", python.Output, StringComparison.Ordinal);
        Assert.Contains("\"question_status\":\"cancelled\"", python.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HttpClient_IsAnswered_OnceItsBodyHasEnded()
    {
        await AskAsync();
        var body = new TaskCompletionSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, Path);
        request.Content = new SilentContent("""{"attempt":1,"text":"half"}""" + "\n", body.Task);
        request.Content.Headers.ContentType = new(NdJson);
        var sending = Http.SendAsync(request);
        await UntilTextAsync("half");
        await CancelAsync();

        body.SetResult();

        using var reply = await sending.WaitAsync(Patience);
        Assert.Equal(HttpStatusCode.Conflict, reply.StatusCode);
        Assert.Contains("\"question_status\":\"cancelled\"", await reply.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AServerThatStops_SaysWhereToContinue()
    {
        await using var own = await ServerProcess.StartAsync("Responder:Name=external", "Server:DrainTimeout=00:00:01");
        await own.Http.AskAsync(_session, """{"id":"q-1","question":"what"}""");
        await using var upload = await AnswerUpload.StartAsync(own.Address, _session, "q-1");
        await upload.WriteLineAsync("""{"attempt":1,"text":"half"}""");
        await Eventually.TrueAsync(async () => await TextAsync(own.Http) == "half", "the line is appended");

        var stopping = own.StopAsync();

        var reply = await upload.ReplyAsync();
        Assert.Equal((WireErrors.Draining.Code, 4L), (reply.Code, reply.ExpectedOffset));
        await upload.CompleteAsync();
        Assert.Equal(0, await stopping.WaitAsync(Patience));
    }

    [Fact]
    public async Task EveryRefusal_HasItsCode_AndKeepsWhatCameBefore()
    {
        await AskAsync();
        Assert.Equal(WireErrors.QuestionNotFound.Code, (await SendAsync("""{"attempt":1,"text":"x"}""", "q-none")).Code);
        Assert.Equal(WireErrors.StaleAttempt.Code, (await SendAsync("""{"attempt":7,"text":"x"}""")).Code);
        Assert.Equal(WireErrors.BadRequest.Code, (await SendAsync("\u0001\u0002")).Code);
        Assert.Equal(WireErrors.BadRequest.Code, (await SendAsync("""{"text":"x"}""")).Code);
        var large = await SendAsync($$"""{"attempt":1,"text":"{{new string('x', 2 * 1024 * 1024)}}"}""");
        Assert.Equal(WireErrors.MessageTooLarge.Code, large.Code);
        var broken = await SendAsync("""{"attempt":1,"text":"kept"}""" + "\n{}");
        Assert.Equal((WireErrors.BadRequest.Code, 4L, "text"), (broken.Code, broken.ExpectedOffset, broken.Body.Text("param")));
        var behind = await SendAsync("""{"attempt":1,"text":"other"}""");
        Assert.Equal((WireErrors.OffsetMismatch.Code, 4L), (behind.Code, behind.ExpectedOffset));
        Assert.Equal(("kept", "answering"), await AnswerAsync());
        await Http.CallAsync(HttpMethod.Post, $"/v1/sessions/{_session}/questions/q-1/cancel");
        var late = await SendAsync("""{"attempt":1,"offset":4,"text":"x"}""");
        Assert.Equal((WireErrors.AlreadyDone.Code, "cancelled"), (late.Code, late.Body.Text("question_status")));
    }

    [Fact]
    public async Task OpenApi_NamesBothContentTypes()
    {
        var document = await Http.CallAsync(HttpMethod.Get, "/openapi/v1.json");

        var body = document.Body.GetProperty("paths").GetProperty("/v1/sessions/{id}/questions/{qid}/answer").GetProperty("post").GetProperty("requestBody");
        Assert.Equal(["application/json", NdJson], body.GetProperty("content").EnumerateObject().Select(type => type.Name));
    }

    private async Task<string?> TextAsync(HttpClient http) => (await http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions/q-1")).Body.Text("text");

    private Task<HttpAnswer> AskAsync() => Http.AskAsync(_session, """{"id":"q-1","question":"what"}""");

    private Task<HttpAnswer> CancelAsync() => Http.CallAsync(HttpMethod.Post, $"/v1/sessions/{_session}/questions/q-1/cancel");

    private Task<UploadReply> SendAsync(string lines, string questionId = "q-1") =>
        AnswerUpload.SendAsync(server.Server.Address, _session, questionId, lines);

    private async Task<(string? Text, string? State)> AnswerAsync()
    {
        var question = (await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions/q-1")).Body;
        return (question.Text("text"), question.Text("state"));
    }

    private Task UntilTextAsync(string text) => Eventually.TrueAsync(async () => await TextAsync(Http) == text, $"the answer is '{text}'");

    /// <summary>A text, and then silence until the test ends it.</summary>
    private sealed class SilentContent(string text, Task silence) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
            await stream.FlushAsync();
            await silence;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
