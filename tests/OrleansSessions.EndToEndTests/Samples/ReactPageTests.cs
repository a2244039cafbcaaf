using System.Net;
using System.Text.Json;
using Microsoft.Playwright;
using OrleansSessions.EndToEndTests.Page;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary>The sample page with React in a real browser, in React's StrictMode, which mounts everything twice.</summary>
public sealed class ReactPageTests(BrowserFixture fixture, ReactPage sample) : IClassFixture<BrowserFixture>, IClassFixture<ReactPage>
{
    private readonly string _session = Names.Session("react");
    private readonly List<string> _faults = [];
    private readonly List<IWebSocket> _sockets = [];

    [Fact]
    public async Task Answer_GoesOnAfterAReload_OverOneSocket()
    {
        var page = await OpenAsync();
        await Expect(page.Locator(".empty")).ToBeVisibleAsync();
        await AskAsync(page, "What is a silo?");
        await AnswerAsync("A process that hosts ");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("A process that hosts ");
        await Expect(page.Locator("#stop")).ToBeVisibleAsync();
        Assert.Single(_sockets);

        await page.ReloadAsync();

        await Expect(page.Locator(".question")).ToHaveTextAsync("What is a silo?");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("A process that hosts ");
        await AnswerAsync("grains.", isFinal: true);
        await Expect(page.Locator(".answer")).ToHaveTextAsync("A process that hosts grains.");
        await Expect(page.Locator(".answer")).ToHaveAttributeAsync("aria-busy", "false");
        Assert.Equal(2, _sockets.Count);
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task Stop_CancelsTheQuestion_AndAnotherSessionClosesTheSocketOfTheFirst()
    {
        var page = await OpenAsync();
        await AskAsync(page, "What is a grain?");
        await AnswerAsync("A grain is an actor with an identity, ", isFinal: true);
        await Expect(page.Locator("#send")).ToBeVisibleAsync();
        await AskAsync(page, "Count to a million, please");
        await AnswerAsync("one, two, three, ", of: "Count to a million, please");
        await Expect(page.Locator(".answer").Nth(1)).ToHaveTextAsync("one, two, three, ");
        await ScreenshotAsync(page, "streaming");

        await page.Locator("#stop").ClickAsync();

        await Expect(page.Locator(".meta")).ToHaveTextAsync("Stopped");
        await Expect(page.Locator("#send")).ToBeVisibleAsync();
        Assert.Equal("cancelled", (await LastAsync())!.Value.Text("status"));
        await ScreenshotAsync(page, "stopped");

        await page.Locator("#new").ClickAsync();

        await Expect(page.Locator(".empty")).ToBeVisibleAsync();
        await Expect(page.Locator("#state")).ToHaveAttributeAsync("data-state", "live");
        await Eventually.TrueAsync(() => Task.FromResult(_sockets.Count == 2 && _sockets[0].IsClosed), "the first socket is closed");
        Assert.False(_sockets[1].IsClosed);
        Assert.DoesNotContain(_session, page.Url, StringComparison.Ordinal);
        Assert.Empty(_faults);
    }

    private async Task<IPage> OpenAsync()
    {
        fixture.SkipIfAbsent();
        var address = await sample.AddressAsync(_session);
        var page = await fixture.NewPageAsync(_faults);
        page.WebSocket += (_, socket) => _sockets.Add(socket);
        await page.GotoAsync(address);
        await Expect(page.Locator("#state")).ToHaveAttributeAsync("data-state", "live");
        return page;
    }

    private static async Task AskAsync(IPage page, string text)
    {
        await page.Locator("#text").FillAsync(text);
        await page.Locator("#text").PressAsync("Enter");
    }

    /// <summary>Adds a piece to the answer of the last question.</summary>
    /// <param name="of">The question, where an earlier one has been asked.</param>
    private async Task AnswerAsync(string text, bool isFinal = false, string? of = null)
    {
        JsonElement? asked = null;
        await Eventually.TrueAsync(
            async () => (asked = await LastAsync()) is { } last && (of is null || last.Text("question") == of), "the question was asked");
        var answered = await sample.Server.Http.AnswerAsync(_session, asked!.Value.Text("question_id")!, asked.Value.Number("bytes") ?? 0, text, isFinal);
        Assert.Equal(HttpStatusCode.OK, answered.Status);
    }

    private async Task<JsonElement?> LastAsync()
    {
        var asked = await sample.Server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions?limit=1");
        return asked.Body.GetProperty("questions").EnumerateArray().Select(question => (JsonElement?)question).LastOrDefault();
    }

    private static Task<byte[]> ScreenshotAsync(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", $"react-{name}.png") });
}
