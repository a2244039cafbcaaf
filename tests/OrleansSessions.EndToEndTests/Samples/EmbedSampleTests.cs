using System.Net;
using System.Net.WebSockets;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary>The application of the sample keeps its accounts and its data, and its customers have sessions.</summary>
public sealed class EmbedSampleTests(QuickEmbedSample sample) : IClassFixture<QuickEmbedSample>
{
    private const string AboutAlice = "Parcel 17 is on its way and arrives on Tuesday. Parcel 23 waits at the post office. ";

    [Fact]
    public async Task Application_AnswersItsOwnEndpoints_AsBefore()
    {
        using var stranger = sample.Stranger();
        using var alice = await sample.SignInAsync("alice");

        using var refused = await stranger.GetAsync("/parcels");
        var parcels = await alice.GetStringAsync("/parcels");

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("post office", parcels, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Customer_IsAnsweredFromTheApplicationsData_OverHttp()
    {
        using var alice = await sample.SignInAsync("alice");

        var answer = await alice.AskAsync("alice.http", """{"question":"Where are my parcels?"}""", ("Prefer", "wait=10"));

        Assert.Equal((HttpStatusCode.OK, AboutAlice), (answer.Status, answer.Body.Text("text")));
    }

    [Fact]
    public async Task Customer_IsAnsweredFromTheApplicationsData_OnASocket()
    {
        using var bob = await sample.SignInAsync("bob");
        await using var socket = await CheckedSocket.ConnectAsync(
            sample.Socket("bob.socket"), WireProfile.Basic, options => options.SetRequestHeader("Cookie", CookieOf(bob)));

        await socket.SendAsync("""{"question":"Where is parcel 42?"}""");

        Assert.Equal("Parcel 42 was delivered yesterday. ", (await socket.ExpectAsync("response")).Text("data"));
    }

    [Fact]
    public async Task Session_OfACustomer_IsAnotherOne_ForAnotherCustomer_WhateverItsId()
    {
        using var alice = await sample.SignInAsync("alice");
        using var bob = await sample.SignInAsync("bob");
        await alice.AskAsync("same", """{"question":"Where are my parcels?"}""", ("Prefer", "wait=10"));

        var read = await bob.CallAsync(HttpMethod.Get, "/v1/sessions/same");
        var removed = await bob.CallAsync(HttpMethod.Delete, "/v1/sessions/same");
        await using var socket = await CheckedSocket.ConnectAsync(
            sample.Socket("same", "v=1"), WireProfile.V1, options => options.SetRequestHeader("Cookie", CookieOf(bob)));
        var hello = await socket.ExpectAsync("hello");
        var answer = await bob.AskAsync("same", """{"question":"Where are my parcels?"}""", ("Prefer", "wait=10"));
        var kept = await alice.CallAsync(HttpMethod.Get, "/v1/sessions/same/questions");

        read.IsError(WireErrors.SessionNotFound);
        Assert.Equal((HttpStatusCode.NoContent, (long?)0), (removed.Status, hello.Number("seq")));
        Assert.Equal("Parcel 42 was delivered yesterday. ", answer.Body.Text("text"));
        Assert.Equal(AboutAlice, Assert.Single(kept.Body.GetProperty("questions").EnumerateArray()).Text("text"));
    }

    [Fact]
    public async Task Stranger_ReachesNoSession_NeitherBySocketNorOverHttp()
    {
        using var stranger = sample.Stranger();
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;

        var described = await stranger.CallAsync(HttpMethod.Get, "/v1/sessions/alice.chat");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(sample.Socket("alice.chat"), TestContext.Current.CancellationToken));

        described.IsError(WireErrors.Unauthorized);
        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
    }

    private static string CookieOf(HttpClient caller) => string.Join("; ", caller.DefaultRequestHeaders.TryGetValues("Cookie", out var cookies) ? cookies : []);
}
