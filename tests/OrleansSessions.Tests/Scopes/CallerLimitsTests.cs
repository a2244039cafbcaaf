using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Orleans.Core.Internal;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

/// <summary>The limits of a scope as its caller meets them, with two silos and two socket gateways. Each test has its own callers.</summary>
public sealed class CallerLimitsTests(CallerLimitsFixture fixture) : IClassFixture<CallerLimitsFixture>
{
    private const int MaxSockets = CallerLimitsFixture.MaxSockets;
    private const int MaxOpenQuestions = CallerLimitsFixture.MaxOpenQuestions;
    private const int MaxAsks = CallerLimitsFixture.MaxAsks;
    private const int MaxRequests = CallerLimitsFixture.MaxRequests;

    private readonly string _alice = $"alice-{Guid.NewGuid():n}";
    private readonly string _bob = $"bob-{Guid.NewGuid():n}";
    private readonly SessionCluster _cluster = fixture.Cluster;
    private readonly SocketHost _left = fixture.Left;
    private readonly SocketHost _right = fixture.Right;

    [Fact]
    public async Task Sockets_AreCountedOverAllGateways_AndOneAboveTheLimitIsRefused()
    {
        await using var first = await ConnectAsync(_left, _alice);
        var second = await ConnectAsync(_right, _alice);

        Assert.Equal(HttpStatusCode.TooManyRequests, await RefusedUpgradeAsync(_left, _alice));
        using var alice = _right.CreateClient(_alice);
        using var stream = await alice.GetAsync("/v1/sessions/s/events", HttpCompletionOption.ResponseHeadersRead);
        await AssertRefusedAsync(stream, WireErrors.QuotaExceeded);
        await using var other = await ConnectAsync(_left, _bob);

        await second.DisposeAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await using var third = await ConnectAsync(_right, _alice);
                    return true;
                }
                catch (WebSocketException)
                {
                    return false;
                }
            },
            "the place of the socket that left is free");
    }

    [Fact]
    public async Task EventStreams_CountAsSockets_AndAnAskThatWouldStreamIsNotAskedWithoutAPlace()
    {
        using var alice = _left.CreateClient(_alice);
        using var first = await alice.GetAsync("/v1/sessions/s/events", HttpCompletionOption.ResponseHeadersRead);
        using var second = await alice.GetAsync("/v1/sessions/s/events", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));

        using var ask = new HttpRequestMessage(HttpMethod.Post, "/v1/sessions/asked/questions");
        ask.Content = JsonContent.Create(new { question = "why", id = "q-1" });
        ask.Headers.Accept.ParseAdd("text/event-stream");
        using var refused = await alice.SendAsync(ask, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal("q-1", (await AssertRefusedAsync(refused, WireErrors.QuotaExceeded)).GetProperty("question_id").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await alice.GetAsync("/v1/sessions/asked")).StatusCode);
    }

    [Fact]
    public async Task SocketsThatFollowAnotherScope_CountForTheirCaller_AndNotForItsOwner()
    {
        var worker = $"worker-{Guid.NewGuid():n}";
        var address = $"/ws/s?v=1&scope={TestTokens.ScopeOf(_alice)}";
        Task<TestSocket> FollowAsync() => TestSocket.ConnectAsync(_left.SocketAddress(address), options => options.ActAs(worker, "sessions:answer"));
        await using var first = await FollowAsync();
        await using var second = await FollowAsync();
        Assert.Equal(MaxSockets, (await first.NextAsync("hello")).GetProperty("limits").GetProperty("sockets").GetInt32());

        await Assert.ThrowsAsync<WebSocketException>(FollowAsync);
        await using var own = await ConnectAsync(_left, _alice);
    }

    [Fact]
    public async Task RefusedQuestions_AreAudited()
    {
        using var alice = _left.CreateClient(_alice);
        await AssertAcceptedAsync(alice, "one", "q-1");
        await AssertAcceptedAsync(alice, "two", "q-1");
        for (var i = 2; i <= MaxAsks; i++)
        {
            using var refused = await AskAsync(alice, "three", $"q-{i}");
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        }

        var audited = fixture.Log.From(AuditLog.Category).Select(line => line.Message)
            .Where(line => line.Contains($"POST /v1/sessions/three/questions, by {_alice}, from 127.0.0.1: ", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[^1]).ToList();
        Assert.Equal(MaxAsks - 1, audited.Count);
        Assert.Equal(["quota_exceeded", "rate_limited"], audited.Distinct());
    }

    [Fact]
    public async Task SocketOfAPage_AboveTheLimit_LearnsItOnTheSocket()
    {
        await using var first = await ConnectAsync(_left, _alice);
        await using var second = await ConnectAsync(_left, _alice);
        await using var third = await TestSocket.ConnectAsync(_left.SocketAddress("/ws/s?v=1"), options =>
        {
            options.ActAs(_alice);
            options.SetRequestHeader("Origin", _left.Address.GetLeftPart(UriPartial.Authority));
        });

        var error = await third.NextAsync("error");
        Assert.Equal(("quota_exceeded", true), (error.Text("code"), error.GetProperty("retryable").GetBoolean()));
        Assert.Equal(CloseCodes.ConnectionLimit, await third.ClosedAsync());
    }

    [Fact]
    public async Task OpenQuestions_AreCountedOverAllSessionsAndSilos_AndARefusalChangesNothing()
    {
        using var left = _left.CreateClient(_alice);
        using var right = _right.CreateClient(_alice);
        await AssertAcceptedAsync(left, "one", "q-1");
        await AssertAcceptedAsync(right, "two", "q-2");

        using var third = await AskAsync(left, "three", "q-3");
        await AssertRefusedAsync(third, WireErrors.QuotaExceeded);
        Assert.Equal(HttpStatusCode.NotFound, (await left.GetAsync("/v1/sessions/three")).StatusCode);
        using var queued = await AskAsync(right, "one", "q-4", "queue");
        await AssertRefusedAsync(queued, WireErrors.QuotaExceeded);
        using var busy = await AskAsync(right, "one", "q-5");
        await AssertRefusedAsync(busy, WireErrors.SessionBusy);
        using var again = await AskAsync(left, "one", "q-1");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);

        // The question that it replaces makes room for it.
        using var replacing = await AskAsync(right, "one", "q-6", "replace");
        Assert.Equal(HttpStatusCode.Accepted, replacing.StatusCode);
        using var bob = _left.CreateClient(_bob);
        await AssertAcceptedAsync(bob, "one", "q-1");

        using var ended = await left.PostAsync("/v1/sessions/two/questions/q-2/cancel", null);
        await EventuallyAcceptedAsync(Scoped("three"));
    }

    [Fact]
    public async Task FaultyQuestion_AtTheLimit_IsRefusedForItsFault_AndTakesNoPlace()
    {
        for (var i = 0; i < MaxOpenQuestions; i++)
        {
            Assert.Equal(AskOutcome.Accepted, (await Scoped($"s{i}").AskAsync("q-1", $"question {i}")).Outcome);
        }

        var calls = Calls("orleanssessions.scopeindex");
        Assert.Equal(AskOutcome.Empty, (await Scoped("new").AskAsync("q-1", "")).Outcome);
        Assert.Equal(calls, Calls("orleanssessions.scopeindex"));
    }

    [Fact]
    public async Task OpenQuestions_ThatAreRestored_CountAlsoAfterTheLossOfTheirActivation()
    {
        var session = Scoped("one");
        await session.AskAsync("q-1", $"first {_alice}");
        await session.AskAsync("q-2", "second", IfBusy.Queue);
        Assert.Equal(AskOutcome.QuotaExceeded, (await Scoped("two").AskAsync("q-1", "third")).Outcome);

        // The next activation ends the first, which ran, and restores the second.
        await session.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await Eventually.TrueAsync(async () => await session.GetQuestionAsync("q-1") is { End: not null }, "the first has ended");

        await EventuallyAcceptedAsync(Scoped("two"));
        Assert.Equal(AskOutcome.QuotaExceeded, (await Scoped("three").AskAsync("q-1", "fourth")).Outcome);
    }

    [Fact]
    public async Task OpenQuestions_AskedFromEverywhereAtOnce_StayWithinTheLimit()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Scoped($"s{i}").AskAsync("q-1", $"question {i}")));

        Assert.Equal(MaxOpenQuestions, replies.Count(reply => reply.Outcome == AskOutcome.Accepted));
        Assert.Equal(100 - MaxOpenQuestions, replies.Count(reply => reply is { Outcome: AskOutcome.QuotaExceeded, ExceededQuota: AskQuota.OpenQuestions }));
    }

    [Fact]
    public async Task Asks_AboveTheRate_AreRefusedOverHttp_WithTheWait()
    {
        using var left = _left.CreateClient(_alice);
        using var right = _right.CreateClient(_alice);
        for (var i = 0; i < MaxAsks; i++)
        {
            using var reply = await AskAsync(i % 2 == 0 ? left : right, "one", "q-1");
            Assert.NotEqual(HttpStatusCode.TooManyRequests, reply.StatusCode);
        }

        using var refused = await AskAsync(left, "one", "q-2");
        var problem = await AssertRefusedAsync(refused, WireErrors.RateLimited);
        Assert.Equal("q-2", problem.GetProperty("question_id").GetString());
        Assert.InRange(problem.GetProperty("retry_after_ms").GetInt64(), 1, 60_000 / MaxAsks);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.NotFound, (await left.GetAsync("/v1/sessions/one/questions/q-2")).StatusCode);
    }

    [Fact]
    public async Task Asks_AboveTheRate_AreRefusedOnASocket_WhichIsClosedIfTheyGoOn()
    {
        await using var socket = await ConnectAsync(_left, _alice);
        await socket.NextAsync("hello");
        for (var i = 0; i < MaxAsks + 1; i++)
        {
            await socket.SendAsync("""{"question":"why","id":"q-1"}""");
        }

        var error = (await socket.UntilAsync("error"))[^1];
        Assert.Equal(("rate_limited", "q-1"), (error.Text("code"), error.Text("question_id")));
        Assert.InRange(error.GetProperty("retry_after_ms").GetInt64(), 1, 60_000 / MaxAsks);
        for (var i = 0; i < 3; i++)
        {
            await socket.SendAsync("""{"question":"why","id":"q-2"}""");
        }

        Assert.Equal(CloseCodes.RateLimited, await socket.ClosedAsync());
    }

    [Fact]
    public async Task Requests_AboveTheRate_AreRefused_ButNotThoseOfBackEnds()
    {
        using var alice = _left.CreateClient(_alice);
        using var backEnd = _left.CreateClient("worker", "sessions:answer");
        for (var i = 0; i < MaxRequests; i++)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await alice.GetAsync("/v1/sessions/none")).StatusCode);
        }

        using var refused = await alice.GetAsync("/v1/sessions/none");
        Assert.InRange((await AssertRefusedAsync(refused, WireErrors.RateLimited)).GetProperty("retry_after_ms").GetInt64(), 1, 60_000 / MaxRequests);
        Assert.NotNull(refused.Headers.RetryAfter);
        for (var i = 0; i < MaxRequests + 1; i++)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await backEnd.GetAsync("/v1/sessions/none")).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await _left.Http.GetAsync("/v1/sessions/none")).StatusCode);
        }
    }

    [Fact]
    public async Task TheAnonymousScope_HasNoLimits_AndCostsNoCall()
    {
        var sockets = new List<TestSocket>();
        for (var i = 0; i < MaxSockets + 2; i++)
        {
            sockets.Add(await TestSocket.ConnectAsync(_left.SocketAddress("/ws/s?v=1")));
        }

        for (var i = 0; i < MaxAsks + 2; i++)
        {
            await AssertAcceptedAsync(_left.Http, $"{_alice}-{i}", "q-1");
        }

        Assert.DoesNotContain(fixture.Calls.Keys, grain => !grain.Contains("/s.", StringComparison.Ordinal));
        foreach (var socket in sockets)
        {
            await socket.DisposeAsync();
        }
    }

    [Fact]
    public async Task AskAfterAsk_CostsTheQuotaFewCalls()
    {
        var session = Scoped("one");
        for (var i = 0; i < 20; i++)
        {
            _cluster.Responder.For($"question {i} of {_alice}").Send("answer").Finish();
            Assert.Equal(AskOutcome.Accepted, (await session.AskAsync($"q-{i}", $"question {i} of {_alice}")).Outcome);
            await session.WaitForEndAsync(new() { QuestionId = $"q-{i}", Patience = TimeSpan.FromSeconds(10) });
        }

        // The place of the session, and the permit of its questions, which is kept from one to the next. Later questions are noted once a second.
        Assert.InRange(Calls("orleanssessions.scopequota"), 1, 3);
        Assert.InRange(Calls("orleanssessions.scopeindex"), 1, 10);
    }

    private static Task<TestSocket> ConnectAsync(SocketHost host, string subject) =>
        TestSocket.ConnectAsync(host.SocketAddress("/ws/s?v=1"), options => options.ActAs(subject));

    private static async Task<HttpStatusCode> RefusedUpgradeAsync(SocketHost host, string subject)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.ActAs(subject);
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(host.SocketAddress("/ws/s?v=1"), CancellationToken.None));
        return socket.HttpStatusCode;
    }

    private static Task<HttpResponseMessage> AskAsync(HttpClient client, string session, string id, string ifBusy = "reject") =>
        client.PostAsync($"/v1/sessions/{session}/questions", JsonContent.Create(new { question = $"in {session}", id, if_busy = ifBusy }));

    private static async Task AssertAcceptedAsync(HttpClient client, string session, string id)
    {
        using var reply = await AskAsync(client, session, id);
        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
    }

    private static Task EventuallyAcceptedAsync(ISessionGrain session) => Eventually.TrueAsync(
        async () => (await session.AskAsync("q-new", "another")).Outcome is AskOutcome.Accepted or AskOutcome.Duplicate,
        "there is room again, after spare permits have been returned");

    private static async Task<JsonElement> AssertRefusedAsync(HttpResponseMessage reply, WireError error)
    {
        var problem = await reply.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((error.HttpStatus, error.Code), ((int)reply.StatusCode, problem.GetProperty("code").GetString()));
        return problem;
    }

    private ISessionGrain Scoped(string session) =>
        _cluster.Orleans.Client.GetGrain<ISessionGrain>(SessionKey.Of(TestTokens.ScopeOf(_alice), session));

    private int Calls(string grainType) => fixture.Calls.GetValueOrDefault($"{grainType}/{TestTokens.ScopeOf(_alice)}");
}
