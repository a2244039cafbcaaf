using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OrleansSessions.EndToEndTests.Samples;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>Two nodes behind nginx, of which one is stopped while the page and the Python client receive answers through it.</summary>
public sealed partial class MoveTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>
{
    private static readonly string Question = string.Join(' ', Enumerable.Range(1, 50).Select(number => $"word{number}"));
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);

    private readonly List<string> _faults = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ANodeThatDrains_IsLeftByThePageAndThePythonClient_AndNobodySeesIt()
    {
        fixture.SkipIfAbsent();
        PythonClient.SkipIfAbsent();
        await using var sample = await TwoNodesSample.StartAsync(
            settings: [("Responder__Echo__Delay", "00:00:00.15"), ("Server__DrainTimeout", "00:00:06")]);

        // 1. A page, and programs until nginx has given one to the node of the page. All of them are in the middle of an answer.
        var session = Names.Session("move");
        var page = await fixture.NewPageAsync(_faults);
        var sockets = 0;
        page.WebSocket += (_, _) => sockets++;
        await page.GotoAsync($"{sample.Both.BaseAddress}?s={session}");
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live");
        var (leaving, node) = await ConnectionsAsync(sample.A) == 1 ? ("node-a", sample.A) : ("node-b", sample.B);
        await NoteStatesAsync(page);
        var programs = new List<Task<JsonElement>>();
        do
        {
            var other = Names.Session("move-py");
            programs.Add(PythonClient.AskOverBadConnectionAsync(SocketUrl(sample.Both, other), Question, "{}", Token));
            await Eventually.TrueAsync(async () => await HasTextAsync(sample.Both, other), "the answer for a program has begun");
        }
        while (await ConnectionsAsync(node) == 1 && programs.Count < 6);

        await page.Locator("#text").FillAsync(Question);
        await page.Locator("#text").PressAsync("Enter");
        await Expect(page.Locator(".answer")).ToContainTextAsync("word5");

        // 2. The node of the page is stopped.
        var stopped = sample.StopNodeAsync(leaving, StopPatience);
        await Eventually.TrueAsync(() => Task.FromResult(sockets >= 2), "the page opens another socket");
        await page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", "page-moving.png") });
        await stopped;

        // 3. The page has moved, and was live all the time.
        await Expect(page.Locator(".answer")).ToHaveTextAsync(Question);
        await Expect(page.Locator("#notice")).ToBeHiddenAsync();
        await Expect(page.Locator("#send")).ToBeEnabledAsync();
        Assert.Equal(["live"], await page.EvaluateAsync<string[]>("[...states]"));
        Assert.Equal(1, await page.Locator(".pair").CountAsync());
        Assert.Empty(_faults);

        // 4. So have the programs that were on that node, and the others noticed nothing.
        var moves = 0;
        foreach (var result in await Task.WhenAll(programs))
        {
            var isMoved = result.GetProperty("received").EnumerateArray().Any(frame => frame.Text("type") == "reconnect");
            moves += isMoved ? 1 : 0;
            Assert.Equal((Question, 0L), (result.Text("text"), result.Number("lost")));
            Assert.Equal(isMoved ? 2 : 1, result.Number("connects"));
            Assert.Equal(result.Number("deltas"), result.Number("next"));
        }

        Assert.InRange(moves, 1, programs.Count);
    }

    /// <summary>Collects what the page says of its connection from now on.</summary>
    private static async Task NoteStatesAsync(IPage page) => await page.EvaluateAsync(
        """
        () => {
          const connection = document.getElementById('connection');
          globalThis.states = new Set([connection.dataset.state]);
          new MutationObserver(() => states.add(connection.dataset.state)).observe(connection, { attributes: true });
        }
        """);

    private static string SocketUrl(HttpClient node, string session) =>
        new UriBuilder(node.BaseAddress!) { Scheme = "ws", Path = $"/ws/{session}" }.Uri.ToString();

    private static async Task<bool> HasTextAsync(HttpClient node, string session)
    {
        var asked = await node.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions?limit=1");
        return asked.Body.TryGetProperty("questions", out var questions) && questions.EnumerateArray().Any(question => question.Number("bytes") > 0);
    }

    private static async Task<int> ConnectionsAsync(HttpClient node) =>
        Active().Matches(await node.GetStringAsync("/metrics")).Sum(match => int.Parse(match.Groups["count"].ValueSpan, provider: null));

    [GeneratedRegex(@"^sessions_gateway_connection_active(?:\{[^}]*\})? (?<count>\d+)", RegexOptions.Multiline)]
    private static partial Regex Active();
}
