using System.Net;
using System.Text.Json;
using Microsoft.Playwright;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>The page in a real browser, used as a person would use it.</summary>
/// <param name="held">For the tests that look at a page in the middle of an answer: it stays there until the test goes on.</param>
public sealed class PageTests(BrowserFixture fixture, ExternalServerFixture held) : IClassFixture<BrowserFixture>, IClassFixture<ExternalServerFixture>
{
    private const string Long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty";

    private readonly string _session = Names.Session("page");
    private readonly List<string> _faults = [];

    [Fact]
    public async Task Ask_SaysWhoAnswers_AndThatItIsADemonstration()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync();
        await Expect(page.Locator("#responder")).ToHaveTextAsync("answered by echo");
        await Expect(page.Locator("#demo")).ToBeVisibleAsync();

        await AskAsync(page, Long);

        await Expect(page.Locator(".answer")).ToHaveTextAsync(Long);
        Assert.InRange((await LastAsync(fixture.Server.Http))!.Value.Number("deltas")!.Value, 2, 20);
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task Ask_WatchesTheAnswerStreamIn()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync(server: held.Server);
        await AskAsync(page, Long);

        await AnswerAsync("one two");

        await Expect(page.Locator(".answer")).ToHaveTextAsync("one two");
        await Expect(page.Locator("#hint")).ToContainTextAsync("Busy with your question");
        await Expect(page.Locator("#send")).ToBeDisabledAsync();
        await ScreenshotAsync(page, "streaming");

        await AnswerAsync(" three", isFinal: true);

        await Expect(page.Locator(".answer")).ToHaveTextAsync("one two three");
        await Expect(page.Locator(".answer")).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(page.Locator("#send")).ToBeEnabledAsync();
        await ScreenshotAsync(page, "answered");
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task Enter_WhileBusy_AsksToWaitAndKeepsTheText()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync(server: held.Server);
        await AskAsync(page, Long);
        await AnswerAsync("one");
        await Expect(page.Locator(".answer")).ToContainTextAsync("one");

        await AskAsync(page, "me too");

        await Expect(page.Locator("#notice")).ToContainTextAsync("Please wait");
        await Expect(page.Locator("#text")).ToHaveValueAsync("me too");
        await Expect(page.Locator(".pair")).ToHaveCountAsync(1);
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task Stop_EndsTheAnswerWhereItIs()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync(server: held.Server);
        await AskAsync(page, Long);
        await AnswerAsync("one two");
        await Expect(page.Locator(".answer")).ToContainTextAsync("one two");

        await page.Locator("#stop").ClickAsync();

        await Expect(page.Locator(".meta")).ToContainTextAsync("Stopped");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("one two");
        await Expect(page.Locator("#stop")).ToBeHiddenAsync();
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task SecondTab_FollowsTheSameAnswer()
    {
        fixture.SkipIfAbsent();
        var first = await OpenAsync(server: held.Server);
        await AskAsync(first, Long);
        await AnswerAsync("one");
        await Expect(first.Locator(".answer")).ToContainTextAsync("one");

        var second = await OpenAsync(server: held.Server);

        await Expect(second.Locator("#hint")).ToContainTextAsync("another window");
        await Expect(second.Locator(".question")).ToHaveTextAsync(Long);
        await Expect(second.Locator(".answer")).ToHaveTextAsync("one");
        await AnswerAsync(" two", isFinal: true);
        await Expect(second.Locator(".answer")).ToHaveTextAsync("one two");
        await Expect(first.Locator(".answer")).ToHaveTextAsync("one two");
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task Reload_InMidAnswer_ShowsHistoryAndTheRest()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync(server: held.Server);
        await AskAsync(page, "short one");
        await AnswerAsync("short answer", isFinal: true);
        await Expect(page.Locator(".answer")).ToHaveTextAsync("short answer");
        await AskAsync(page, Long);
        await AnswerAsync("one two", of: Long);
        await Expect(page.Locator(".answer").Nth(1)).ToContainTextAsync("one two");

        await page.ReloadAsync();

        await Expect(page.Locator(".question")).ToHaveTextAsync(["short one", Long]);
        await Expect(page.Locator(".answer")).ToHaveTextAsync(["short answer", "one two"]);
        await AnswerAsync(" three", isFinal: true);
        await Expect(page.Locator(".answer")).ToHaveTextAsync(["short answer", "one two three"]);
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task LostConnection_IsShownAndRestoredInMidAnswer()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync(cutsSockets: true, server: held.Server);
        await AskAsync(page, Long);
        await AnswerAsync("one two");
        await Expect(page.Locator(".answer")).ToContainTextAsync("one two");

        _refuses = true;
        await _cut!();
        await AnswerAsync(" three", isFinal: true);

        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "reconnecting");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("one two");
        _refuses = false;
        await Expect(page.Locator(".answer")).ToHaveTextAsync("one two three");
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live");
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task RestartWithoutAStore_IsShown_AndTheLostQuestionIsAskedAgainOnlyOnRequest()
    {
        fixture.SkipIfAbsent();
        string[] settings = ["SocketGateway:ReconnectMax=00:00:00.5", $"urls=http://127.0.0.1:{FreePort.Take()}"];

        // So slow that the second answer is under way when its process is killed.
        await using var before = await ServerProcess.StartAsync([.. settings, "Responder:Echo:Delay=00:00:01"]);
        var page = await OpenAsync(server: before);
        await AskAsync(page, "short one");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("short one");
        await AskAsync(page, Long);
        await Expect(page.Locator(".answer").Nth(1)).ToContainTextAsync("one two");

        before.Kill();
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "reconnecting");
        await using var after = await ServerProcess.StartAsync([.. settings, "Responder:Echo:Delay=00:00:00.05"]);

        await Expect(page.Locator("#forgotten")).ToContainTextAsync("The model does not know them.");
        await Expect(page.Locator("[data-forgotten=true]")).ToHaveCountAsync(2);
        await Expect(page.Locator(".pair").Nth(1).Locator("#forgotten")).ToBeVisibleAsync();
        await Expect(page.Locator(".meta").Nth(1)).ToContainTextAsync("no longer knows");
        await Expect(page.Locator("#send")).ToBeEnabledAsync();
        Assert.Equal("""{"questions":[]}""", await after.Http.GetStringAsync($"/v1/sessions/{_session}/questions"));
        await ScreenshotAsync(page, "forgotten");

        await page.Locator(".again:visible").ClickAsync();

        await Expect(page.Locator(".answer").Nth(1)).ToHaveTextAsync(Long);
        await Expect(page.Locator(".pair").Nth(0).Locator("#forgotten")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-forgotten=true]")).ToHaveCountAsync(1);
        await Expect(page.Locator(".again:visible")).ToHaveCountAsync(0);
        await ScreenshotAsync(page, "asked-again");
        Assert.DoesNotContain(_faults, fault => !IsOfTheRestart(fault));

        // The page asks over HTTP why a socket did not open. If the server is back by then, it refuses that request, which has no question, with 400.
        static bool IsOfTheRestart(string fault) =>
            fault.Contains("ERR_CONNECTION_REFUSED", StringComparison.Ordinal) || fault.Contains("404", StringComparison.Ordinal)
            || fault.Contains("400", StringComparison.Ordinal);
    }

    [Fact]
    public async Task QuestionAskedWithoutAConnection_IsShownAsNotSent()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync(cutsSockets: true);
        _refuses = true;
        await _cut!();
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "reconnecting");

        await AskAsync(page, "short one");

        await Expect(page.Locator(".meta")).ToHaveTextAsync("Not sent yet: there is no connection.");
        await Expect(page.Locator(".meta")).ToHaveAttributeAsync("data-status", "sending");
        _refuses = false;
        await Expect(page.Locator(".answer")).ToHaveTextAsync("short one");
    }

    /// <summary>The host name resolves to this machine, but the server listens only on loopback and is not configured with the name.</summary>
    [Fact]
    public async Task PageThatTheServerRefuses_StopsAndSaysWhy()
    {
        fixture.SkipIfAbsent();
        var page = await fixture.Browser.NewPageAsync();

        // The page itself is delivered, as from a cache or another server.
        await page.RouteAsync("**/*", async route =>
        {
            if (route.Request.Method == "GET")
            {
                var url = route.Request.Url.Replace(BrowserFixture.OtherName, "127.0.0.1", StringComparison.Ordinal);
                await route.FulfillAsync(new() { Response = await route.FetchAsync(new() { Url = url }) });
                return;
            }

            await route.ContinueAsync();
        });

        await page.GotoAsync($"http://{BrowserFixture.OtherName}:{fixture.Server.Address.Port}/?s={_session}");

        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "stopped", new() { Timeout = 15_000 });
        await Expect(page.Locator("#notice")).ToContainTextAsync(BrowserFixture.OtherName);
        await Expect(page.Locator("#notice")).ToContainTextAsync("AllowedHosts");
        await ScreenshotAsync(page, "refused");
    }

    [Fact]
    public async Task PageBelowAPrefix_FindsItsServerBelowIt()
    {
        fixture.SkipIfAbsent();
        var page = await fixture.Browser.NewPageAsync();
        var sockets = new List<string>();
        await page.RouteAsync("**/chat/**", route => route.ContinueAsync(new() { Url = route.Request.Url.Replace("/chat/", "/", StringComparison.Ordinal) }));
        page.WebSocket += (_, socket) => sockets.Add(socket.Url);

        await page.RunAndWaitForWebSocketAsync(() => page.GotoAsync($"{fixture.Server.Address}chat/?s={_session}"));

        Assert.Equal($"ws://{fixture.Server.Address.Authority}/chat/ws/{_session}", sockets[0]);
    }

    [Fact]
    public async Task Text_IsNeverTakenForHtml()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync();

        await AskAsync(page, "<img src=x onerror=alert(1)> <b>bold</b>");

        await Expect(page.Locator(".answer")).ToHaveTextAsync("<img src=x onerror=alert(1)> <b>bold</b>");
        Assert.Equal(0, await page.Locator("#log img, #log b").CountAsync());
        Assert.Empty(_faults);
    }

    private Func<Task>? _cut;
    private bool _refuses;

    private async Task<IPage> OpenAsync(bool cutsSockets = false, ServerProcess? server = null)
    {
        var page = await fixture.NewPageAsync(_faults);
        if (cutsSockets)
        {
            await page.RouteWebSocketAsync("**/ws/**", socket =>
            {
                if (_refuses)
                {
                    _ = socket.CloseAsync(new() { Code = 4001 });
                    return;
                }

                var peer = socket.ConnectToServer();
                _cut = async () =>
                {
                    // The page's side is closed first. Otherwise the server's reply to the
                    // other close would be passed on to the page with 1000, which means stop.
                    await socket.CloseAsync(new() { Code = 4001 });
                    await peer.CloseAsync();
                };
            });
        }

        await page.GotoAsync($"{(server ?? fixture.Server).Address}?s={_session}");
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live", new() { Timeout = 15_000 });
        return page;
    }

    /// <summary>Adds a piece to the answer that the page waits for.</summary>
    /// <param name="of">The question, where an earlier one has been asked.</param>
    private async Task AnswerAsync(string text, bool isFinal = false, string? of = null)
    {
        JsonElement? asked = null;
        await Eventually.TrueAsync(
            async () => (asked = await LastAsync(held.Http)) is { } last && (of is null || last.Text("question") == of), "the question was asked");
        var answered = await held.Http.AnswerAsync(_session, asked!.Value.Text("question_id")!, asked.Value.Number("bytes") ?? 0, text, isFinal);
        Assert.Equal(HttpStatusCode.OK, answered.Status);
    }

    private async Task<JsonElement?> LastAsync(HttpClient http)
    {
        var asked = await http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions?limit=1");
        return asked.Body.GetProperty("questions").EnumerateArray().Select(question => (JsonElement?)question).LastOrDefault();
    }

    private static async Task AskAsync(IPage page, string text)
    {
        await page.Locator("#text").FillAsync(text);
        await page.Locator("#text").PressAsync("Enter");
    }

    private static Task<byte[]> ScreenshotAsync(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", $"page-{name}.png") });
}
