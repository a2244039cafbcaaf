using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class SessionHttpTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _session = GatewayFixture.NewSession();

    private string Base => $"/v1/sessions/{_session}";

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task Ask_IsAccepted_WithALocationThatHasTheAnswer()
    {
        gateway.Cluster.Responder.For(_session).Send("a").Finish();
        using var reply = await PostAsync("/questions", $$"""{"question":"{{_session}}","id":"q-1"}""");

        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
        Assert.Equal($"{Base}/questions/q-1", reply.Headers.Location!.ToString());
        using var again = await PostAsync("/questions", $$"""{"question":"{{_session}}","id":"q-1"}""", ("Prefer", "wait=10"));
        var body = await BodyAsync(again, HttpStatusCode.OK);
        Assert.Equal(("a", "completed", 1), (body.GetProperty("text").GetString(), body.GetProperty("status").GetString(), body.GetProperty("deltas").GetInt32()));
        var listed = await BodyAsync(await GetAsync("/questions?limit=5"), HttpStatusCode.OK);
        Assert.Equal(1, listed.GetProperty("questions").GetArrayLength());
    }

    [Fact]
    public async Task PreferWait_EndsAsAcceptedWhenTheProcessStops()
    {
        await using var host = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client);
        using var request = new HttpRequestMessage(HttpMethod.Post, Base + "/questions") { Content = JsonContent.Create(new { question = _session, id = "q-1" }) };
        request.Headers.Add("Prefer", "wait=60");
        var waiting = host.Http.SendAsync(request);
        await gateway.Cluster.Responder.For(_session).Started.WaitAsync(TimeSpan.FromSeconds(10));

        await host.StopAsync().WaitAsync(TimeSpan.FromSeconds(10));

        using var reply = await waiting;
        Assert.Equal("accepted", (await BodyAsync(reply, HttpStatusCode.Accepted)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task PreferWait_EndsAsAcceptedWhenTheTimeIsOver()
    {
        using var reply = await PostAsync("/questions", $$"""{"question":"{{_session}}","id":"q-1"}""", ("Prefer", "wait=1"));
        Assert.Equal("accepted", (await BodyAsync(reply, HttpStatusCode.Accepted)).GetProperty("state").GetString());

        using var busy = await PostAsync("/questions", """{"question":"other"}""");
        var problem = await BodyAsync(busy, HttpStatusCode.Conflict);
        Assert.Equal("application/problem+json", busy.Content.Headers.ContentType!.MediaType);
        Assert.Equal(("session_busy", "q-1", true), (problem.GetProperty("code").GetString(), problem.GetProperty("active_question_id").GetString(), problem.GetProperty("retryable").GetBoolean()));
        Assert.Equal(TimeSpan.FromSeconds(1), busy.Headers.RetryAfter!.Delta);

        var session = await BodyAsync(await GetAsync(""), HttpStatusCode.OK);
        Assert.Equal("q-1", session.GetProperty("open")[0].GetProperty("question_id").GetString());
        using var cancel = await PostAsync("/questions/q-1/cancel", "");
        Assert.Equal(HttpStatusCode.Accepted, cancel.StatusCode);
    }

    [Theory]
    [InlineData("not json", null, 400, "bad_request")]
    [InlineData("""{"type":"cancel"}""", null, 400, "unknown_type")]
    [InlineData("""{"question":"x","id":"a"}""", "b", 400, "bad_request")]
    [InlineData("""{"question":"x"}""", "no good", 400, "bad_request")]
    [InlineData("""{"question":""}""", null, 400, "bad_request")]
    public async Task BadAsk_IsRefused(string body, string? key, int status, string code)
    {
        using var reply = await PostAsync("/questions", body, ("Idempotency-Key", key));
        Assert.Equal(code, (await BodyAsync(reply, (HttpStatusCode)status)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task TooLargeBodies_AreRefused_ByTheirOwnCodes()
    {
        using var question = await PostAsync("/questions", $$"""{"question":"{{new string('x', 33_000)}}"}""");
        Assert.Equal("question_too_large", (await BodyAsync(question, HttpStatusCode.RequestEntityTooLarge)).GetProperty("code").GetString());
        using var message = await PostAsync("/questions", new string('x', 66_000));
        Assert.Equal("message_too_large", (await BodyAsync(message, HttpStatusCode.RequestEntityTooLarge)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task IdempotencyKey_IsTheQuestionsId_AndAnotherTextConflicts()
    {
        gateway.Cluster.Responder.For(_session).Send("a").Finish();
        using var first = await PostAsync("/questions", $$"""{"question":"{{_session}}"}""", ("Idempotency-Key", "k-1"));
        Assert.Equal("k-1", (await BodyAsync(first, HttpStatusCode.Accepted)).GetProperty("question_id").GetString());
        using var other = await PostAsync("/questions", """{"question":"other"}""", ("Idempotency-Key", "k-1"));
        Assert.Equal("question_conflict", (await BodyAsync(other, HttpStatusCode.UnprocessableEntity)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task UnknownThings_AreNotFound_AndRemovalIsRepeatable()
    {
        Assert.Equal("session_not_found", (await BodyAsync(await GetAsync(""), HttpStatusCode.NotFound)).GetProperty("code").GetString());
        Assert.Equal("question_not_found", (await BodyAsync(await GetAsync("/questions/none"), HttpStatusCode.NotFound)).GetProperty("code").GetString());
        Assert.Equal("question_not_found", (await BodyAsync(await PostAsync("/questions/none/cancel", ""), HttpStatusCode.NotFound)).GetProperty("code").GetString());
        using var removed = await gateway.Host.Http.DeleteAsync(new Uri(Base, UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
    }

    [Theory]
    [InlineData("/response", """{"response":"x"}""", 409, "no_open_question")]
    [InlineData("/response", """{"response":7}""", 400, "bad_request")]
    [InlineData("/response", """{"response":"x","question_id":"none"}""", 404, "question_not_found")]
    [InlineData("/questions/none/answer", """{"attempt":1,"offset":0,"text":"x"}""", 404, "question_not_found")]
    [InlineData("/questions/none/answer", """{"offset":0,"text":"x"}""", 400, "bad_request")]
    public async Task AnsweringNothing_SaysWhy(string path, string body, int status, string code)
    {
        using var reply = await PostAsync(path, body);
        Assert.Equal(code, (await BodyAsync(reply, (HttpStatusCode)status)).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(64, 1_900_000, "error.message")]
    [InlineData(64, 1_025, "error.message")]
    [InlineData(65, 10, "error.code")]
    public async Task AnErrorOverItsLimits_IsRefused(int codeLength, int messageLength, string param)
    {
        using var reply = await PostErrorAsync(new string('c', codeLength), messageLength);

        var body = await BodyAsync(reply, HttpStatusCode.BadRequest);
        Assert.Equal(("bad_request", param), (body.GetProperty("code").GetString(), body.GetProperty("param").GetString()));
    }

    [Theory]
    [InlineData("c", 1_024)]
    [InlineData("upstream:503", 0)]
    public async Task AnErrorWithinItsLimits_IsRead(string code, int messageLength)
    {
        using var reply = await PostErrorAsync(code, messageLength);

        Assert.Equal("question_not_found", (await BodyAsync(reply, HttpStatusCode.NotFound)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task BadSessionId_IsABadRequest()
    {
        using var reply = await gateway.Host.Http.GetAsync(new Uri("/v1/sessions/bad%20id", UriKind.Relative));
        Assert.Equal("bad_request", (await BodyAsync(reply, HttpStatusCode.BadRequest)).GetProperty("code").GetString());
    }

    private Task<HttpResponseMessage> PostErrorAsync(string code, int messageLength) => PostAsync(
        "/questions/q-1/answer",
        JsonSerializer.Serialize(new { attempt = 1, offset = 0, error = new { code, message = new string('m', messageLength) } }));

    private Task<HttpResponseMessage> GetAsync(string path) => gateway.Host.Http.GetAsync(new Uri(Base + path, UriKind.Relative));

    private async Task<HttpResponseMessage> PostAsync(string path, string body, params (string Name, string? Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Base + path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await gateway.Host.Http.SendAsync(request);
    }

    private static async Task<JsonElement> BodyAsync(HttpResponseMessage reply, HttpStatusCode expected)
    {
        Assert.Equal(expected, reply.StatusCode);
        return await reply.Content.ReadFromJsonAsync<JsonElement>();
    }
}
