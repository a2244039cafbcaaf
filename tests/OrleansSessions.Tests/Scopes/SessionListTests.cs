using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Documents;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

/// <summary>The list of a scope's sessions, with its limit, and the erasure of a scope. Each test has its own callers.</summary>
public sealed class SessionListTests(SessionListFixture fixture) : IClassFixture<SessionListFixture>
{
    private const int MaxSessions = SessionListFixture.MaxSessions;

    private readonly string _alice = $"alice-{Guid.NewGuid():n}";
    private readonly string _bob = $"bob-{Guid.NewGuid():n}";
    private readonly GatedStorage _store = fixture.Store;
    private readonly RecordedLog _log = fixture.Log;
    private readonly SessionCluster _cluster = fixture.Cluster;
    private readonly SocketHost _host = fixture.Host;

    private IScopeIndexGrain Index => _cluster.Orleans.Client.GetGrain<IScopeIndexGrain>(AlicesScope);

    private string AlicesScope => TestTokens.ScopeOf(_alice);

    private bool IsWritten =>
        _store.Keys.Any(key => key.StartsWith("scopeindex", StringComparison.Ordinal) && key.Contains(AlicesScope, StringComparison.Ordinal));

    [Fact]
    public async Task List_HasTheSessionsOfTheCallersScope_TheLatestFirst_AndNoOneElses()
    {
        using var alice = _host.CreateClient(_alice);
        using var bob = _host.CreateClient(_bob);
        await AskAsync(alice, "one", "What is a grain?");
        _cluster.Clock.Advance(TimeSpan.FromMinutes(1));
        await AskAsync(alice, "two", new string('x', 500));

        var list = await ListAsync(alice);
        Assert.Equal(AlicesScope, list.GetProperty("scope").GetString());
        Assert.Equal(
            [("two", new string('x', ListedSession.MaxQuestionLength)), ("one", "What is a grain?")],
            Sessions(list).Select(session => (session.Text("session")!, session.Text("last_question"))));
        Assert.False(list.TryGetProperty("next", out _));
        Assert.Empty(Sessions(await ListAsync(bob)));
    }

    [Fact]
    public async Task LaterQuestion_MovesItsSessionToTheFront()
    {
        using var alice = _host.CreateClient(_alice);
        await AskAsync(alice, "one", "first");
        _cluster.Clock.Advance(TimeSpan.FromMinutes(1));
        await AskAsync(alice, "two", "second");
        _cluster.Clock.Advance(TimeSpan.FromMinutes(1));
        await AskAsync(alice, "one", "third", "queue");

        await Eventually.TrueAsync(
            async () => Sessions(await ListAsync(alice)).Select(session => session.Text("last_question")).SequenceEqual(["third", "second"]),
            "the later question is listed");
    }

    [Fact]
    public async Task Pages_FollowEachOther_WithoutAGapOrARepeat()
    {
        using var alice = _host.CreateClient(_alice);
        for (var i = 0; i < MaxSessions; i++)
        {
            await AskAsync(alice, $"s{i}", "why");
            _cluster.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var listed = new List<string>();
        string? next = null;
        do
        {
            var page = await ListAsync(alice, $"?limit=2{(next is null ? "" : $"&after={next}")}");
            listed.AddRange(Sessions(page).Select(session => session.Text("session")!));
            next = page.TryGetProperty("next", out var cursor) ? cursor.GetString() : null;
        }
        while (next is not null);

        Assert.Equal(["s4", "s3", "s2", "s1", "s0"], listed);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("after=", "after")]
    [InlineData("after=not%20a%20cursor", "after")]
    [InlineData("after=MTIz", "after")]
    [InlineData("after=OTk5OTk5OTk5OTk5OTk5OTk5OS9z", "after")]
    public async Task BadParameter_IsRefused(string query, string param)
    {
        using var alice = _host.CreateClient(_alice);
        using var reply = await alice.GetAsync($"/v1/sessions?{query}");

        Assert.Equal(param, (await AssertRefusedAsync(reply, WireErrors.BadRequest)).GetProperty("param").GetString());
    }

    [Fact]
    public async Task List_OfAnotherScope_IsForAdministratorsAndBackEnds()
    {
        using var alice = _host.CreateClient(_alice);
        using var bob = _host.CreateClient(_bob);
        using var worker = _host.CreateClient("worker", "sessions:answer");
        await AskAsync(alice, "one", "why");
        var address = $"/v1/sessions?scope={AlicesScope}";

        using var refused = await bob.GetAsync(address);
        await AssertRefusedAsync(refused, WireErrors.Forbidden);
        Assert.Single(Sessions(await worker.GetFromJsonAsync<JsonElement>(address)));
    }

    [Fact]
    public async Task TheAnonymousScope_HasNoList_AndNoLimit()
    {
        for (var i = 0; i < MaxSessions + 2; i++)
        {
            await AskAsync(_host.Http, GatewayFixture.NewSession(), "why");
        }

        using var refused = await _host.Http.GetAsync("/v1/sessions");
        await AssertRefusedAsync(refused, WireErrors.NotFound);
    }

    [Fact]
    public async Task FirstQuestion_OfASessionAboveTheLimit_IsRefused_AndRemovingOneMakesRoom()
    {
        using var alice = _host.CreateClient(_alice);
        for (var i = 0; i < MaxSessions; i++)
        {
            await AskAsync(alice, $"s{i}", "why");
        }

        using var refused = await PostAsync(alice, "more", "why");
        Assert.Contains("sessions", (await AssertRefusedAsync(refused, WireErrors.QuotaExceeded)).GetProperty("detail").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await alice.GetAsync("/v1/sessions/more")).StatusCode);
        await AskAsync(alice, "s0", "again", "queue");

        Assert.Equal(HttpStatusCode.NoContent, (await alice.DeleteAsync("/v1/sessions/s0")).StatusCode);
        Assert.DoesNotContain("s0", Sessions(await ListAsync(alice)).Select(session => session.Text("session")!));
        await AskAsync(alice, "more", "why");
    }

    [Fact]
    public async Task QuestionThatIsRefused_LeavesNoSessionInTheList()
    {
        // The socket gateway would have refused it. The session does, too.
        Assert.Equal(AskOutcome.Empty, (await Scoped("one").AskAsync("q-1", "")).Outcome);

        using var alice = _host.CreateClient(_alice);
        Assert.Empty(Sessions(await ListAsync(alice)));
    }

    [Fact]
    public async Task SessionsThatAreForgotten_LeaveTheList_AndThoseInUseStay()
    {
        using var alice = _host.CreateClient(_alice);
        await AskAsync(alice, "kept", "why");
        await AskAsync(alice, "gone", "why");
        await Scoped("gone").RemoveAsync();

        // As after a store that forgot the session, the entry is there and the session is not.
        await Index.AddAsync(new() { Session = ListedSession.Of("gone", "why", _cluster.Clock.Now) });
        Assert.Equal(2, Sessions(await ListAsync(alice)).Count);
        _cluster.Clock.Advance(new SessionsOptions().Retention + TimeSpan.FromMinutes(1));

        Assert.Equal(["kept"], Sessions(await ListAsync(alice)).Select(session => session.Text("session")!));
        Assert.Equal("kept", Assert.Single((await Index.ListAsync(new() { Limit = 10 })).Sessions).SessionId);
    }

    [Fact]
    public async Task List_DoesNotMakeSessionsLiveOn_ButReadingThemDoes()
    {
        _cluster.Responder.For(_alice).Finish();
        using var alice = _host.CreateClient(_alice);
        await AskAsync(alice, "one", _alice);
        await Eventually.TrueAsync(async () => await ExpiresAtAsync("one") is not null, "the question has ended");
        var expiresAt = await ExpiresAtAsync("one");
        _cluster.Clock.Advance(new SessionsOptions().Retention + TimeSpan.FromMinutes(1));

        Assert.Single(Sessions(await ListAsync(alice)));
        Assert.Equal(expiresAt, await ExpiresAtAsync("one"));
        await Scoped("one").DescribeAsync();
        Assert.True(await ExpiresAtAsync("one") > expiresAt);
    }

    [Fact]
    public async Task SessionThatIsRead_KeepsItsPlaceInTheIndex()
    {
        _cluster.Responder.For(_alice).Finish();
        using var alice = _host.CreateClient(_alice);
        await AskAsync(alice, "one", _alice);
        await Eventually.TrueAsync(async () => await ExpiresAtAsync("one") is not null, "the question has ended");
        _cluster.Clock.Advance(new SessionsOptions().Retention * 0.6);
        var readAt = _cluster.Clock.Now;
        await Scoped("one").DescribeAsync();

        await Eventually.TrueAsync(
            async () => Assert.Single((await Index.ListAsync(new() { Limit = 10 })).Sessions).UsedAt >= readAt, "the index knows of the use");
        Assert.True(Assert.Single((await Index.ListAsync(new() { Limit = 10 })).Sessions).UpdatedAt < readAt);
    }

    [Fact]
    public async Task FirstQuestion_IsInTheStoredIndex_BeforeItIsAccepted()
    {
        using var alice = _host.CreateClient(_alice);
        await AskAsync(alice, "one", "why");

        Assert.True(IsWritten);
        await _cluster.HibernateAsync();

        Assert.Equal("one", Assert.Single(Sessions(await ListAsync(alice))).Text("session"));
    }

    [Fact]
    public async Task Index_ThatCannotBeWritten_StaysInUse_AndIsWrittenLater()
    {
        var failures = _store.Failures + 3;
        _store.Fail = true;
        await Index.AddAsync(new() { Session = ListedSession.Of("one", "why", _cluster.Clock.Now) });
        await Eventually.TrueAsync(
            () =>
            {
                _cluster.Clock.Advance(TimeSpan.FromMilliseconds(500));
                return _store.Failures >= failures;
            },
            "the store was tried twice more");
        Assert.Single((await Index.ListAsync(new() { Limit = 10 })).Sessions);
        _store.Fail = false;
        await _cluster.StoreIsAsync(isAway: false);

        await Eventually.TrueAsync(
            () =>
            {
                _cluster.Clock.Advance(TimeSpan.FromMilliseconds(500));
                return IsWritten;
            },
            "the index is written");
    }

    [Fact]
    public async Task Erase_RemovesAllSessionsAndTheRecord_AndIsSafeToRepeat()
    {
        using var alice = _host.CreateClient(_alice);
        using var bob = _host.CreateClient(_bob);
        using var admin = _host.CreateClient("root", "sessions:admin");
        for (var i = 0; i < MaxSessions; i++)
        {
            await AskAsync(alice, $"s{i}", "private words");
        }

        await AskAsync(bob, "s0", "why");
        var address = $"/v1/scopes/{AlicesScope}";
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync(address)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync(address)).StatusCode);

        Assert.Empty(Sessions(await ListAsync(alice)));
        Assert.Equal(HttpStatusCode.NotFound, (await alice.GetAsync("/v1/sessions/s0")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await bob.GetAsync("/v1/sessions/s0")).StatusCode);
        Assert.DoesNotContain(_store.Keys, key => key.Contains(AlicesScope, StringComparison.Ordinal));
        Assert.Equal(2, _log.From(AuditLog.Category).Count(line => line.Message.Contains(AlicesScope, StringComparison.Ordinal)));
        Assert.DoesNotContain(_log.Lines, line => line.Message.Contains("private words", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Erase_OfAnIndexWithEntries_ChangesNothing_AndSaysSo()
    {
        await Index.AddAsync(new() { Session = ListedSession.Of("one", "why", _cluster.Clock.Now) });

        Assert.False((await Index.EraseAsync(new())).IsErased);
        Assert.Single((await Index.ListAsync(new() { Limit = 10 })).Sessions);

        await Index.RemoveAsync(new() { SessionIds = ["one"] });
        Assert.True((await Index.EraseAsync(new())).IsErased);
    }

    [Fact]
    public async Task Erase_ThatFails_IsAudited_AndCanBeRepeated()
    {
        using var admin = _host.CreateClient("root", "sessions:admin");
        _store.Fail = true;
        using var failed = await admin.DeleteAsync($"/v1/scopes/{AlicesScope}");
        _store.Fail = false;
        await AssertRefusedAsync(failed, WireErrors.StoreUnavailable);
        await _cluster.StoreIsAsync(isAway: false);
        using var repeated = await admin.DeleteAsync($"/v1/scopes/{AlicesScope}");
        Assert.Equal(HttpStatusCode.NoContent, repeated.StatusCode);

        Assert.Equal(
            [
                $"Not erased completely: scope {AlicesScope}, by root, from 127.0.0.1: 0 sessions were removed",
                $"Erased: scope {AlicesScope}, by root, from 127.0.0.1: 0 sessions",
            ],
            _log.From(AuditLog.Category).Select(line => line.Message).Where(line => line.Contains(AlicesScope, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Erase_NeedsTheRightToAdminister_AndAScope()
    {
        using var alice = _host.CreateClient(_alice);
        using var admin = _host.CreateClient("root", "sessions:admin");

        using var denied = await alice.DeleteAsync($"/v1/scopes/{AlicesScope}");
        await AssertRefusedAsync(denied, WireErrors.PermissionDenied);
        using var invalid = await admin.DeleteAsync("/v1/scopes/alice");
        await AssertRefusedAsync(invalid, WireErrors.BadRequest);
        using var anonymous = await admin.DeleteAsync("/v1/scopes/");
        await AssertRefusedAsync(anonymous, WireErrors.NotFound);
        using var other = await admin.GetAsync($"/v1/scopes/{AlicesScope}");
        await AssertRefusedAsync(other, WireErrors.MethodNotAllowed);
        Assert.Equal(["DELETE"], other.Content.Headers.Allow);
    }

    [Fact]
    public async Task List_HasTheFieldsOfTheDocument()
    {
        using var alice = _host.CreateClient(_alice);
        await AskAsync(alice, "one", "why");
        await AskAsync(alice, "two", "why");
        var example = Assert.Single(ProtocolDocument.Examples("http-response"), example => example.Contains("\"sessions\"", StringComparison.Ordinal));
        using var document = JsonDocument.Parse(example);

        var list = await ListAsync(alice, "?limit=1");
        Assert.Equal(Names(document.RootElement), Names(list));
        Assert.Equal(Names(Sessions(document.RootElement)[0]), Names(Sessions(list)[0]));
        using var next = await alice.GetAsync($"/v1/sessions?after={document.RootElement.Text("next")}");
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    private static IEnumerable<string> Names(JsonElement value) => value.EnumerateObject().Select(property => property.Name);

    private static async Task<JsonElement> AssertRefusedAsync(HttpResponseMessage reply, WireError error)
    {
        var problem = await reply.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((error.HttpStatus, error.Code), ((int)reply.StatusCode, problem.GetProperty("code").GetString()));
        return problem;
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string session, string question, string ifBusy = "reject") =>
        client.PostAsync($"/v1/sessions/{session}/questions", JsonContent.Create(new { question, if_busy = ifBusy }));

    private static async Task AskAsync(HttpClient client, string session, string question, string ifBusy = "reject")
    {
        using var reply = await PostAsync(client, session, question, ifBusy);
        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
    }

    private static Task<JsonElement> ListAsync(HttpClient client, string query = "") => client.GetFromJsonAsync<JsonElement>($"/v1/sessions{query}");

    private static List<JsonElement> Sessions(JsonElement list) => [.. list.GetProperty("sessions").EnumerateArray()];

    private async Task<DateTimeOffset?> ExpiresAtAsync(string session) => (await Scoped(session).DescribeAsync(new() { IsGlance = true }))?.ExpiresAt;

    private ISessionGrain Scoped(string session) => _cluster.Orleans.Client.GetGrain<ISessionGrain>(SessionKey.Of(AlicesScope, session));
}
