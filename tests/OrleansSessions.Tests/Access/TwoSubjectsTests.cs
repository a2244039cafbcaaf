using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Access;

/// <summary>
/// Alice has a session with an open question. Bob knows its id, its question's id, its epoch and even its scope, and tries everything: by socket, by event
/// stream and over HTTP, on the same node and on another one. He reaches sessions of his own, and Alice notices nothing.
/// </summary>
public sealed class TwoSubjectsTests(AccessFixture nodes) : IClassFixture<AccessFixture>
{
    private const string Session = "shared-name";
    private const string Question = "q-alice";
    private const string Secret = "what only Alice may read";

    private IReadOnlyList<SocketHost> Hosts => nodes.Hosts;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task WhateverBobTries_OnAlicesSession_ReachesOnlyHisOwn(int node)
    {
        // 1. Alice asks on the first node, and follows.
        var alice = Subject.Named(Hosts[0], "alice");
        var bob = Subject.Named(Hosts[node], "bob");
        await using var socket = await alice.ConnectAsync(Session);
        await socket.NextAsync("hello");
        await socket.SendAsync(JsonSerializer.Serialize(new { question = Secret, id = Question }));
        await socket.NextAsync("accepted");
        var before = await DescribeAsync(alice);
        var epoch = before.GetProperty("epoch").GetString();
        var scope = TestTokens.ScopeOf("alice");

        // 2. Bob reads.
        Assert.Equal((404, "session_not_found"), await bob.RefusedAsync(HttpMethod.Get, $"/v1/sessions/{Session}"));
        Assert.Equal((404, "question_not_found"), await bob.RefusedAsync(HttpMethod.Get, $"/v1/sessions/{Session}/questions/{Question}"));
        Assert.Empty((await bob.SendAsync(HttpMethod.Get, $"/v1/sessions/{Session}/questions")).Body.GetProperty("questions").EnumerateArray());
        Assert.Equal(
            (404, "question_not_found"),
            await bob.RefusedAsync(HttpMethod.Get, $"/v1/sessions/{Session}/events?question={Question}", accept: "text/event-stream"));
        await ReadsNothingAsync(await bob.ConnectAsync(Session, $"?v=1&epoch={epoch}&after=0"));
        await using (var stream = await bob.FollowAsync(Session, $"?epoch={epoch}&after=0"))
        {
            Assert.Empty((await stream.NextAsync("hello")).Frame.GetProperty("open").EnumerateArray());
            Assert.False((await stream.NextAsync("resumed")).Frame.GetProperty("recovered").GetBoolean());
        }

        // 3. Bob changes.
        Assert.Equal((404, "question_not_found"), await bob.RefusedAsync(HttpMethod.Post, $"/v1/sessions/{Session}/questions/{Question}/cancel"));
        Assert.Equal(
            (403, "permission_denied"), await bob.RefusedAsync(HttpMethod.Post, $"/v1/sessions/{Session}/response", new { response = "forged" }));
        Assert.Equal(
            (403, "permission_denied"),
            await bob.RefusedAsync(HttpMethod.Post, $"/v1/sessions/{Session}/questions/{Question}/answer", new { attempt = 1, offset = 0, text = "forged" }));
        await CancelsNothingAsync(await bob.ConnectAsync(Session));
        await using (var basic = await bob.ConnectAsync(Session, ""))
        {
            // The same question id is his own, and the session is not busy for him.
            await basic.SendAsync(JsonSerializer.Serialize(new { question = "other", id = Question, if_busy = "replace" }));
            await Eventually.TrueAsync(async () => (await DescribeAsync(bob)).GetProperty("open").GetArrayLength() == 1, "Bob's own question is open");
        }

        Assert.Equal(204, (await bob.SendAsync(HttpMethod.Delete, $"/v1/sessions/{Session}")).Status);

        // 4. Bob names Alice's scope.
        foreach (var (method, path, body) in Requests())
        {
            Assert.Equal((403, "forbidden"), await bob.RefusedAsync(method, $"{path}?scope={scope}", body));
        }

        var refused = await Assert.ThrowsAsync<WebSocketException>(() => bob.ConnectAsync(Session, $"?v=1&scope={scope}"));
        Assert.Contains("403", refused.Message);

        // 5. Alice has what she had, and nothing came to her but what is hers.
        Assert.Equal(Frozen(before), Frozen(await DescribeAsync(alice)));
        Assert.Equal(204, (await alice.SendAsync(HttpMethod.Delete, $"/v1/sessions/{Session}")).Status);
        var last = (await socket.UntilAsync("done"))[^1];
        Assert.Equal(("session_removed", Question), (last.GetProperty("reason").GetString(), last.GetProperty("question_id").GetString()));
    }

    [Fact]
    public async Task TheSameSubject_OnAnotherNode_ReachesItsSession()
    {
        await Subject.Named(Hosts[0], "carol").SendAsync(
            HttpMethod.Post, "/v1/sessions/notes/questions", new { question = "one", id = "q-1", if_busy = "reject" });

        var elsewhere = Subject.Named(Hosts[1], "carol");

        Assert.Equal(200, (await elsewhere.SendAsync(HttpMethod.Get, "/v1/sessions/notes/questions/q-1")).Status);
        await using var socket = await elsewhere.ConnectAsync("notes");
        Assert.Equal("q-1", (await socket.NextAsync("hello")).GetProperty("open")[0].GetProperty("question_id").GetString());
    }

    [Fact]
    public async Task AWorker_AnswersInAScopeThatItNames_ButNeitherAsksNorRemovesThere()
    {
        var alice = Subject.Named(Hosts[0], "dora");
        var worker = Subject.Named(Hosts[1], "worker", "sessions:answer");
        var query = $"?scope={TestTokens.ScopeOf("dora")}";
        var asked = alice.AskAsync("work", "how long?", "q-1");
        await Eventually.TrueAsync(
            async () => (await worker.SendAsync(HttpMethod.Get, $"/v1/sessions/work/questions/q-1{query}")).Status == 200, "the worker sees the question");

        Assert.Equal((403, "permission_denied"), await worker.RefusedAsync(HttpMethod.Post, $"/v1/sessions/work/questions{query}", new { question = "mine" }));
        Assert.Equal((403, "permission_denied"), await worker.RefusedAsync(HttpMethod.Post, $"/v1/sessions/work/questions/q-1/cancel{query}"));
        Assert.Equal((403, "permission_denied"), await worker.RefusedAsync(HttpMethod.Delete, $"/v1/sessions/work{query}"));
        await using var socket = await worker.ConnectAsync("work", $"{query}&v=1");
        await socket.NextAsync("hello");
        await socket.NextAsync("snapshot");
        await socket.SendAsync("""{"question":"mine","id":"q-2"}""");
        Assert.Equal("permission_denied", (await socket.NextAsync("error")).GetProperty("code").GetString());
        await socket.SendAsync("""{"type":"cancel"}""");
        Assert.Equal("permission_denied", (await socket.NextAsync("error")).GetProperty("code").GetString());

        Assert.Equal(200, (await worker.SendAsync(HttpMethod.Post, $"/v1/sessions/work/response{query}", new { response = "an hour" })).Status);
        Assert.Equal("an hour", (await asked).GetProperty("text").GetString());
    }

    [Fact]
    public async Task QuestionInAScopeThatIsNamed_HasAnAddressThatNamesIt()
    {
        var query = $"?scope={TestTokens.ScopeOf("fay")}";
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/named/questions{query}");
        request.Content = JsonContent.Create(new { question = "why?", id = "q-1" });
        request.Headers.Authorization = new("Bearer", TestTokens.Of("root", "sessions:admin"));
        using var reply = await Hosts[0].Http.SendAsync(request);

        Assert.Equal($"/v1/sessions/named/questions/q-1{query}", reply.Headers.Location!.ToString());
    }

    [Fact]
    public async Task AnAdministrator_ReadsCancelsAndRemovesInAScopeThatItNames_ButDoesNotAnswer()
    {
        var admin = Subject.Named(Hosts[1], "root", "sessions:admin");
        var query = $"?scope={TestTokens.ScopeOf("eve")}";
        var asked = Subject.Named(Hosts[0], "eve").AskAsync("mess", "why?", "q-1");
        await Eventually.TrueAsync(
            async () => (await admin.SendAsync(HttpMethod.Get, $"/v1/sessions/mess/questions/q-1{query}")).Status == 200,
            "the administrator sees the question");

        Assert.Equal((403, "permission_denied"), await admin.RefusedAsync(HttpMethod.Post, $"/v1/sessions/mess/response{query}", new { response = "x" }));
        Assert.Equal(202, (await admin.SendAsync(HttpMethod.Post, $"/v1/sessions/mess/questions/q-1/cancel{query}")).Status);
        Assert.Equal("cancelled", (await asked).GetProperty("status").GetString());
        Assert.Equal(204, (await admin.SendAsync(HttpMethod.Delete, $"/v1/sessions/mess{query}")).Status);
        Assert.Equal(404, (await Subject.Named(Hosts[0], "eve").SendAsync(HttpMethod.Get, "/v1/sessions/mess")).Status);
    }

    [Theory]
    [InlineData("?scope=elsewhere")]
    [InlineData("?scope=s.short")]
    [InlineData("?scope=s.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/")]
    [InlineData("?scope=&scope=")]
    [InlineData("?scope=../x")]
    public async Task AScopeThatIsNone_IsABadRequest(string query)
    {
        var admin = Subject.Named(Hosts[0], "root", "sessions:admin");

        Assert.Equal((400, "bad_request"), await admin.RefusedAsync(HttpMethod.Get, $"/v1/sessions/s{query}"));
    }

    [Fact]
    public async Task AWorkerWithoutItsToken_AndACallerWithNone_AreUnauthorized()
    {
        foreach (var token in new[] { null, "garbage", "" })
        {
            var stranger = new Subject(Hosts[0], token);
            foreach (var (method, path, body) in Requests())
            {
                Assert.Equal((401, "unauthorized"), await stranger.RefusedAsync(method, path, body));
            }

            var refused = await Assert.ThrowsAsync<WebSocketException>(() => stranger.ConnectAsync(Session));
            Assert.Contains("401", refused.Message);
        }
    }

    private static IEnumerable<(HttpMethod Method, string Path, object? Body)> Requests() =>
    [
        (HttpMethod.Get, $"/v1/sessions/{Session}", null),
        (HttpMethod.Get, $"/v1/sessions/{Session}/questions", null),
        (HttpMethod.Get, $"/v1/sessions/{Session}/questions/{Question}", null),
        (HttpMethod.Get, $"/v1/sessions/{Session}/events", null),
        (HttpMethod.Post, $"/v1/sessions/{Session}/questions", new { question = "x" }),
        (HttpMethod.Post, $"/v1/sessions/{Session}/questions/{Question}/cancel", null),
        (HttpMethod.Post, $"/v1/sessions/{Session}/questions/{Question}/answer", new { attempt = 1, offset = 0, text = "x" }),
        (HttpMethod.Post, $"/v1/sessions/{Session}/response", new { response = "x" }),
        (HttpMethod.Delete, $"/v1/sessions/{Session}", null),
    ];

    private static async Task ReadsNothingAsync(TestSocket socket)
    {
        await using (socket)
        {
            Assert.Empty((await socket.NextAsync("hello")).GetProperty("open").EnumerateArray());
            var resumed = await socket.NextAsync("resumed");
            Assert.Equal((false, "expired"), (resumed.GetProperty("recovered").GetBoolean(), resumed.GetProperty("reason").GetString()));
        }
    }

    private static async Task CancelsNothingAsync(TestSocket socket)
    {
        await using (socket)
        {
            await socket.NextAsync("hello");
            await socket.SendAsync("""{"type":"cancel"}""");
            Assert.Equal(WireErrors.NoOpenQuestion.Code, (await socket.NextAsync("error")).GetProperty("code").GetString());
            await socket.SendAsync($$"""{"type":"cancel","question_id":"{{Question}}"}""");
            Assert.Equal(WireErrors.QuestionNotFound.Code, (await socket.NextAsync("error")).GetProperty("code").GetString());
        }
    }

    private static async Task<JsonElement> DescribeAsync(Subject subject) => (await subject.SendAsync(HttpMethod.Get, $"/v1/sessions/{Session}")).Body;

    /// <summary>What does not change by itself.</summary>
    private static string Frozen(JsonElement session) => string.Join(
        ' ', session.GetProperty("epoch"), session.GetProperty("seq"), session.GetProperty("state"), session.GetProperty("connections"),
        string.Join(',', session.GetProperty("open").EnumerateArray().Select(open => $"{open.GetProperty("question_id")}:{open.GetProperty("question")}")));
}
