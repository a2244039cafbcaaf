using Microsoft.Playwright;
using OrleansSessions.EndToEndTests.Servers;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>The page in a real browser, as a person uses it.</summary>
public sealed class PageTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>
{
    private const string Long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty";

    private readonly string _session = Names.Session("page");
    private readonly List<string> _faults = [];

    [Fact]
    public async Task Ask_WatchesTheAnswerStreamInAndSaysWhoAnswers()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync();
        await Expect(page.Locator("#responder")).ToHaveTextAsync("answered by echo");
        await Expect(page.Locator("#demo")).ToBeVisibleAsync();

        await AskAsync(page, Long);

        await Expect(page.Locator(".answer")).ToContainTextAsync("one two");
        var early = await page.Locator(".answer").TextContentAsync();
        Assert.True(early!.Length < Long.Length, "The answer came whole, not word by word.");
        await Expect(page.Locator("#hint")).ToContainTextAsync("Busy with your question");
        await Expect(page.Locator("#send")).ToBeDisabledAsync();
        await ScreenshotAsync(page, "streaming");

        await Expect(page.Locator(".answer")).ToHaveTextAsync(Long);
        await Expect(page.Locator(".answer")).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(page.Locator("#send")).ToBeEnabledAsync();
        await ScreenshotAsync(page, "answered");
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task Enter_WhileBusy_AsksToWaitAndKeepsTheText()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync();
        await AskAsync(page, Long);
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
        var page = await OpenAsync();
        await AskAsync(page, Long);
        await Expect(page.Locator(".answer")).ToContainTextAsync("one two");

        await page.Locator("#stop").ClickAsync();

        await Expect(page.Locator(".meta")).ToContainTextAsync("Stopped");
        await Expect(page.Locator(".answer")).Not.ToContainTextAsync("twenty");
        await Expect(page.Locator("#stop")).ToBeHiddenAsync();
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task SecondTab_FollowsTheSameAnswer()
    {
        fixture.SkipIfAbsent();
        var first = await OpenAsync();
        await AskAsync(first, Long);
        await Expect(first.Locator(".answer")).ToContainTextAsync("one");

        var second = await OpenAsync();

        await Expect(second.Locator("#hint")).ToContainTextAsync("another window");
        await Expect(second.Locator(".question")).ToHaveTextAsync(Long);
        await Expect(second.Locator(".answer")).ToHaveTextAsync(Long);
        await Expect(first.Locator(".answer")).ToHaveTextAsync(Long);
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task Reload_InMidAnswer_ShowsHistoryAndTheRest()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync();
        await AskAsync(page, "short one");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("short one");
        await AskAsync(page, Long);
        await Expect(page.Locator(".answer").Nth(1)).ToContainTextAsync("one two");

        await page.ReloadAsync();

        await Expect(page.Locator(".question")).ToHaveTextAsync(["short one", Long]);
        await Expect(page.Locator(".answer")).ToHaveTextAsync(["short one", Long]);
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task LostConnection_IsSaidAndMendedInMidAnswer()
    {
        fixture.SkipIfAbsent();
        var page = await OpenAsync(cutsSockets: true);
        await AskAsync(page, Long);
        await Expect(page.Locator(".answer")).ToContainTextAsync("one two");

        await _cut!();

        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "reconnecting");
        await Expect(page.Locator(".answer")).ToHaveTextAsync(Long);
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live");
        Assert.Empty(_faults);
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

    private async Task<IPage> OpenAsync(bool cutsSockets = false)
    {
        var page = await fixture.Browser.NewPageAsync(new() { ViewportSize = new() { Width = 1000, Height = 720 } });
        page.PageError += (_, fault) => _faults.Add(fault);
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("WebSocket", StringComparison.Ordinal))
            {
                _faults.Add(message.Text);
            }
        };
        if (cutsSockets)
        {
            await page.RouteWebSocketAsync("**/ws/**", socket =>
            {
                var server = socket.ConnectToServer();
                _cut = async () =>
                {
                    await server.CloseAsync();
                    await socket.CloseAsync(new() { Code = 4001 });
                };
            });
        }

        await page.GotoAsync($"{fixture.Server.Address}?s={_session}");
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live", new() { Timeout = 15_000 });
        return page;
    }

    private static async Task AskAsync(IPage page, string text)
    {
        await page.Locator("#text").FillAsync(text);
        await page.Locator("#text").PressAsync("Enter");
    }

    private static Task<byte[]> ScreenshotAsync(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", $"page-{name}.png") });
}
