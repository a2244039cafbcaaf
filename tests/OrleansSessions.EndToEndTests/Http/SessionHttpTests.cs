using System.Net;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Http;

/// <summary>All endpoints, and all errors that occur only over HTTP.</summary>
public sealed class SessionHttpTests(ExternalServerFixture server) : IClassFixture<ExternalServerFixture>
{
    private readonly string _session = Names.Session("h");

    private HttpClient Http => server.Http;

    [Fact]
    public async Task Ask_IsAcceptedWithItsPlace_AndAnsweredFromTheLogWhenRepeated()
    {
        var asked = await AskAsync("q-1");
        Assert.Equal(HttpStatusCode.Accepted, asked.Status);
        Assert.Equal($"/v1/sessions/{_session}/questions/q-1", asked.Headers.Location?.OriginalString);
        Assert.Equal(("q-1", "accepted", 0L, 1L), (asked.Body.Text("question_id"), asked.Body.Text("state"), asked.Body.Number("position"), asked.Body.Number("seq")));

        await Http.RespondAsync(_session, "yes");
        var repeated = await AskAsync("q-1");
        Assert.Equal((HttpStatusCode.OK, "completed", "yes"), (repeated.Status, repeated.Body.Text("status"), repeated.Body.Text("text")));
    }

    [Fact]
    public async Task Ask_PreferringToWait_ReturnsTheAnswer()
    {
        var asking = Http.AskAsync(_session, """{"id":"q-1","question":"a"}""", ("Prefer", "wait=20"));
        await TestKit.Clusters.Eventually.TrueAsync(
            async () => (await Http.RespondAsync(_session, "worth the wait")).Status == HttpStatusCode.OK, "the question is open and takes an answer");

        var answer = await asking;
        Assert.Equal((HttpStatusCode.OK, "worth the wait"), (answer.Status, answer.Body.Text("text")));
        Assert.Equal(["wait=20"], answer.Headers.GetValues("Preference-Applied"));
    }

    [Fact]
    public async Task Ask_WithAnIdempotencyKey_TakesItAsTheId()
    {
        var asked = await Http.AskAsync(_session, """{"question":"a"}""", ("Idempotency-Key", "\"k-1\""));
        Assert.Equal("k-1", asked.Body.Text("question_id"));

        var differing = await Http.AskAsync(_session, """{"question":"a","id":"k-2"}""", ("Idempotency-Key", "k-1"));
        Assert.Equal("Idempotency-Key", differing.IsError(WireErrors.BadRequest, "k-2").Text("param"));
    }

    [Theory]
    [InlineData("""{"model":"m"}""", "options.model", "q-1")]
    [InlineData("""[]""", "options", "q-1")]
    public async Task Ask_WithOptionsThatNoOneTakes_IsRefused_AndNoSessionIsMade(string options, string param, string questionId)
    {
        var refused = await Http.AskAsync(_session, $$"""{"id":"q-1","question":"a","options":{{options}} }""");

        Assert.Equal(param, refused.IsError(WireErrors.BadRequest, questionId).Text("param"));
        (await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).IsError(WireErrors.SessionNotFound);
    }

    [Fact]
    public async Task Ask_Refused_HasTheSameCodesAsTheSocket()
    {
        await AskAsync("q-1");

        var busy = await AskAsync("q-2");
        Assert.Equal("q-1", busy.IsError(WireErrors.SessionBusy, "q-2").Text("active_question_id"));
        Assert.Equal(WireErrors.BusyMessage, busy.Body.Text("detail"));
        Assert.NotNull(busy.Headers.RetryAfter);
        await AskAsync("q-2", "queue");
        await AskAsync("q-3", "queue");
        (await AskAsync("q-4", "queue")).IsError(WireErrors.QueueFull, "q-4");
        (await Http.AskAsync(_session, """{"id":"q-1","question":"another"}""")).IsError(WireErrors.QuestionConflict, "q-1");
        (await Http.AskAsync(_session, "nonsense")).IsError(WireErrors.BadRequest);
        (await Http.AskAsync(_session, """{"type":"cancel"}""")).IsError(WireErrors.UnknownType);
        (await Http.AskAsync(_session, $$"""{"id":"q-5","question":"{{new string('x', 32 * 1024 + 1)}}"}""")).IsError(WireErrors.QuestionTooLarge, "q-5");
        (await Http.AskAsync(_session, new string(' ', 64 * 1024 + 1))).IsError(WireErrors.MessageTooLarge);
        (await Http.AskAsync("no%20spaces", """{"question":"a"}""")).IsError(WireErrors.BadRequest);
    }

    [Fact]
    public async Task Questions_ListsThePairsOldestFirst()
    {
        foreach (var number in Enumerable.Range(1, 3))
        {
            await AskAsync($"q-{number}");
            await Http.RespondAsync(_session, $"answer {number}");
        }

        var all = await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions");
        var last = await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions?limit=2");

        Assert.Equal(["q-1", "q-2", "q-3"], all.Body.GetProperty("questions").EnumerateArray().Select(question => question.Text("question_id")));
        Assert.Equal(["answer 2", "answer 3"], last.Body.GetProperty("questions").EnumerateArray().Select(question => question.Text("text")));
        (await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions?limit=many")).IsError(WireErrors.BadRequest);
    }

    [Fact]
    public async Task Session_IsDescribed_AndAGetNeverMakesOne()
    {
        (await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).IsError(WireErrors.SessionNotFound);
        (await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).IsError(WireErrors.SessionNotFound);

        await AskAsync("q-1");
        await using var socket = await server.OpenAsync(_session);
        var session = (await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).Body;

        Assert.Equal((_session, "accepted", 1L, 1L), (session.Text("session"), session.Text("state"), session.Number("seq"), session.Number("connections")));
        var open = Assert.Single(session.GetProperty("open").EnumerateArray());
        Assert.Equal(("q-1", "what", 1L, 0L), (open.Text("question_id"), open.Text("question"), open.Number("attempt"), open.Number("bytes")));
        Assert.InRange(open.Number("deadline_ms")!.Value, 1, 15 * 60_000);
    }

    [Fact]
    public async Task Answer_InPieces_IsJoinedByOffsets()
    {
        await AskAsync("q-1");

        Assert.Equal(4, (await Http.AnswerAsync(_session, "q-1", 0, "häl")).Body.Number("offset"));
        Assert.Equal(4, (await Http.AnswerAsync(_session, "q-1", 0, "häl")).Body.Number("offset"));
        Assert.Equal(4, (await Http.AnswerAsync(_session, "q-1", 9, "x")).IsError(WireErrors.OffsetMismatch, "q-1").Number("expected_offset"));
        (await Http.AnswerAsync(_session, "q-none", 0, "x")).IsError(WireErrors.QuestionNotFound, "q-none");
        Assert.Equal(HttpStatusCode.OK, (await Http.AnswerAsync(_session, "q-1", 4, "lo", isFinal: true)).Status);

        var stored = await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions/q-1");
        Assert.Equal(("hällo", "completed", 6L), (stored.Body.Text("text"), stored.Body.Text("status"), stored.Body.Number("bytes")));
    }

    [Fact]
    public async Task Answer_AfterACancel_IsRefused()
    {
        await AskAsync("q-1");
        await Http.AnswerAsync(_session, "q-1", 0, "half");
        var cancelled = await Http.CallAsync(HttpMethod.Post, $"/v1/sessions/{_session}/questions/q-1/cancel");
        Assert.Equal((HttpStatusCode.Accepted, "cancelling"), (cancelled.Status, cancelled.Body.Text("state")));

        var late = await Http.AnswerAsync(_session, "q-1", 4, " more");

        Assert.Equal("cancelled", late.IsError(WireErrors.AlreadyDone, "q-1").Text("question_status"));
        var again = await Http.CallAsync(HttpMethod.Post, $"/v1/sessions/{_session}/questions/q-1/cancel");
        Assert.Equal((HttpStatusCode.OK, "half"), (again.Status, again.Body.Text("text")));
        (await Http.CallAsync(HttpMethod.Post, $"/v1/sessions/{_session}/questions/q-none/cancel")).IsError(WireErrors.QuestionNotFound, "q-none");
    }

    [Fact]
    public async Task Answer_OfAnotherGeneration_IsRefused()
    {
        await AskAsync("q-1");

        (await Http.AnswerAsync(_session, "q-1", 0, "x", attempt: 7)).IsError(WireErrors.StaleAttempt, "q-1");
    }

    [Fact]
    public async Task Response_WithNothingToAnswer_IsRefused()
    {
        (await Http.RespondAsync(_session, "hello?")).IsError(WireErrors.NoOpenQuestion);
    }

    [Fact]
    public async Task Response_SaysWhetherASocketCouldReceiveIt()
    {
        await AskAsync("q-1");
        Assert.False((await Http.RespondAsync(_session, "to no one")).Body.Flag("delivered"));

        await using var socket = await server.OpenAsync(_session);
        await socket.AskAsync("b", "q-2");
        await socket.UntilAsync("accepted");
        Assert.True((await Http.RespondAsync(_session, "to someone", "q-2")).Body.Flag("delivered"));
    }

    [Fact]
    public async Task Delete_IsRepeatable_AndForgets()
    {
        await AskAsync("q-1");

        Assert.Equal(HttpStatusCode.NoContent, (await Http.CallAsync(HttpMethod.Delete, $"/v1/sessions/{_session}")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Http.CallAsync(HttpMethod.Delete, $"/v1/sessions/{_session}")).Status);
        (await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).IsError(WireErrors.SessionNotFound);
        (await Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions/q-1")).IsError(WireErrors.QuestionNotFound, "q-1");
    }

    private Task<HttpAnswer> AskAsync(string id, string ifBusy = "reject") =>
        Http.AskAsync(_session, $$"""{"id":"{{id}}","question":"what","if_busy":"{{ifBusy}}"}""");
}
