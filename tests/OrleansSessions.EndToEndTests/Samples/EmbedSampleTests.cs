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
        await using var socket = await CheckedSocket.ConnectAsync(sample.Socket("bob.socket"), WireProfile.Basic, options => options.SetRequestHeader("Cookie", CookieOf(bob)));

        await socket.SendAsync("""{"question":"Where is parcel 42?"}""");

        Assert.Equal("Parcel 42 was delivered yesterday. ", (await socket.ExpectAsync("response")).Text("data"));
    }

    [Theory]
    [InlineData(null, "alice.chat", HttpStatusCode.Unauthorized)]
    [InlineData("bob", "alice.chat", HttpStatusCode.Forbidden)]
    [InlineData("bob", "bobby.chat", HttpStatusCode.Forbidden)]
    public async Task Session_OfAnother_IsReachedNeitherBySocketNorOverHttp(string? customer, string session, HttpStatusCode expected)
    {
        using var caller = customer is null ? sample.Stranger() : await sample.SignInAsync(customer);
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Cookie", CookieOf(caller));

        var described = await caller.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(sample.Socket(session), TestContext.Current.CancellationToken));

        Assert.Equal((expected, expected), (described.Status, socket.HttpStatusCode));
    }

    private static string CookieOf(HttpClient caller) => string.Join("; ", caller.DefaultRequestHeaders.TryGetValues("Cookie", out var cookies) ? cookies : []);
}
