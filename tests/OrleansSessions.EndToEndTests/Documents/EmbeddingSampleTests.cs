using System.Net;
using System.Net.WebSockets;
using System.Text.RegularExpressions;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Documents;

/// <summary>The README's host refuses unknown callers at every endpoint, and answers known ones with its own responder.</summary>
public sealed partial class EmbeddingSampleTests(EmbeddingSample sample) : IClassFixture<EmbeddingSample>
{
    private const string Answer = "Let me look. Take an umbrella.";

    /// <summary>All endpoints of section 11, as the document lists them.</summary>
    public static TheoryData<string, string> Endpoints =>
    [
        .. from match in Row().Matches(File.ReadAllText(Path.Combine(RepositoryFolder.Path, "docs", "protocol.md")))
           select new TheoryDataRow<string, string>(match.Groups["method"].Value, match.Groups["path"].Value),
    ];

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Endpoint_WithoutAToken_IsRefused(string method, string path)
    {
        using var request = Request(method, path);

        using var response = await sample.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Endpoint_WithAToken_IsReached(string method, string path)
    {
        using var request = Request(method, path);
        request.Headers.Authorization = sample.Bearer;

        // The events of a session have no end, so the test waits only for the headers.
        using var response = await sample.Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        Assert.NotEqual(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.InRange((int)response.StatusCode, 200, 499);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?v=1")]
    public async Task Socket_WithoutAToken_IsRefused(string query)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(Socket(query), TestContext.Current.CancellationToken));

        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
    }

    [Fact]
    public async Task Socket_WithAToken_IsAnsweredByTheSamplesOwnResponder()
    {
        await using var socket = await CheckedSocket.ConnectAsync(
            Socket(""), WireProfile.Basic, options => options.SetRequestHeader("Authorization", sample.Bearer.ToString()));

        await socket.SendAsync("""{"question":"Will it rain?"}""");

        Assert.Equal(Answer, (await socket.ExpectAsync("response")).Text("data"));
    }

    [Fact]
    public async Task Http_WithAToken_IsAnsweredByTheSamplesOwnResponder()
    {
        var answer = await sample.Http.AskAsync(
            Names.Session(), """{"question":"Will it rain?"}""", ("Authorization", sample.Bearer.ToString()), ("Prefer", "wait=10"));

        Assert.Equal((HttpStatusCode.OK, Answer), (answer.Status, answer.Body.Text("text")));
    }

    [Fact]
    public async Task PythonClient_WithTheTokenAsAHeader_IsAnswered()
    {
        PythonClient.SkipIfAbsent();

        var printed = await PythonClient.AskAsync(
            Socket("?team=a").AbsoluteUri, "Will it rain?", TestContext.Current.CancellationToken, $"Authorization: {sample.Bearer}");

        Assert.Equal(Answer, printed.TrimEnd());
    }

    [Fact]
    public async Task PythonClient_WithoutAToken_SaysThatItIsRefused()
    {
        PythonClient.SkipIfAbsent();

        var failure = await PythonClient.FailToAskAsync(Socket("").AbsoluteUri, "Will it rain?", TestContext.Current.CancellationToken);

        Assert.Contains("Refused", failure, StringComparison.Ordinal);
        Assert.Contains("401", failure, StringComparison.Ordinal);
    }

    private Uri Socket(string query) => new UriBuilder(sample.Address) { Scheme = "ws", Path = $"/ws/{Names.Session()}", Query = query }.Uri;

    private static HttpRequestMessage Request(string method, string path)
    {
        var address = path.Replace("{id}", Names.Session(), StringComparison.Ordinal).Replace("{qid}", "q-1", StringComparison.Ordinal)
            .Replace("limit=N", "limit=5", StringComparison.Ordinal);
        var request = new HttpRequestMessage(new HttpMethod(method), address);
        if (method == "POST")
        {
            request.Content = new StringContent("{}", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        }

        return request;
    }

    [GeneratedRegex(@"^\| `(?<method>GET|POST|DELETE) (?<path>/v1/sessions/[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
