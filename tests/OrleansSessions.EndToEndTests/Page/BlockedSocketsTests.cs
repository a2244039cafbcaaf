using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Sockets;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>The page in a real browser, in a network that lets HTTP through and cuts WebSockets.</summary>
public sealed class BlockedSocketsTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>
{
    private readonly List<string> _faults = [];

    [Fact]
    public async Task APage_WhoseSocketsAreCut_AsksAndStopsOverEventStreams()
    {
        fixture.SkipIfAbsent();
        var session = Names.Session("blocked");
        var cut = 0;
        var page = await fixture.NewPageAsync(_faults);
        await page.RouteWebSocketAsync("**/ws/**", socket =>
        {
            cut++;
            _ = socket.CloseAsync(new() { Code = 3000 });
        });
        await page.GotoAsync($"{fixture.Server.Address}?s={session}");
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live");

        await page.Locator("#text").FillAsync("over HTTP alone");
        await page.Locator("#text").PressAsync("Enter");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("over HTTP alone");

        await page.Locator("#text").FillAsync(string.Join(' ', Enumerable.Repeat("on and on", 200)));
        await page.Locator("#text").PressAsync("Enter");
        await Expect(page.Locator(".answer").Nth(1)).ToContainTextAsync("on and on");
        await page.Locator("#stop").ClickAsync();
        await Expect(page.Locator(".meta").Nth(1)).ToContainTextAsync("Stopped");

        var stored = (await fixture.Server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions")).Body.GetProperty("questions");
        Assert.Equal(["completed", "cancelled"], stored.EnumerateArray().Select(question => question.Text("status")));
        Assert.True(cut >= 2, $"{cut} sockets were cut.");
        // The client looks over HTTP why it hears nothing, with a request that the server refuses as it should.
        Assert.All(_faults, fault => Assert.Contains("400 (Bad Request)", fault, StringComparison.Ordinal));
    }
}
