using Microsoft.Playwright;
using OrleansSessions.EndToEndTests.Page;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Tokens;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace OrleansSessions.EndToEndTests.Access;

/// <summary>The page of a server with authentication, in a real browser.</summary>
public sealed class SignInPageTests(AccessServerFixture server, BrowserFixture fixture) : IClassFixture<AccessServerFixture>, IClassFixture<BrowserFixture>
{
    private readonly string _session = Names.Session("sign-in");

    [Fact]
    public async Task Page_AsksForAToken_RefusesAWrongOne_AndKeepsTheRightOneForReloadsOfThisTab()
    {
        fixture.SkipIfAbsent();
        await using var context = await fixture.Browser.NewContextAsync(new() { ViewportSize = new() { Width = 1000, Height = 720 } });
        var page = await OpenAsync(context);
        await Expect(page.Locator("#sign-in")).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await Expect(page.Locator("#form")).ToBeHiddenAsync();
        await Expect(page.Locator("#notice")).ToContainTextAsync("only callers with a token");
        await page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", "page-sign-in.png") });

        await SignInAsync(page, "wrong");
        await Expect(page.Locator("#notice")).ToContainTextAsync("The token is not valid");
        await Expect(page.Locator("#sign-in")).ToBeVisibleAsync();

        await SignInAsync(page, AccessServerFixture.PlainKey);
        await IsLiveAsync(page);
        await Expect(page.Locator("#sign-in")).ToBeHiddenAsync();
        await Expect(page.Locator("#notice")).ToBeHiddenAsync();
        await page.Locator("#text").FillAsync("hello there");
        await page.Locator("#text").PressAsync("Enter");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("hello there");

        await page.ReloadAsync();
        await IsLiveAsync(page);
        await Expect(page.Locator(".answer")).ToHaveTextAsync("hello there");

        var other = await OpenAsync(context);
        await Expect(other.Locator("#sign-in")).ToBeVisibleAsync(new() { Timeout = 15_000 });
    }

    [Fact]
    public async Task Page_WhoseTokenExpires_AsksForAnotherOne_AndGoesOn()
    {
        fixture.SkipIfAbsent();
        await using var context = await fixture.Browser.NewContextAsync();
        var page = await OpenAsync(context);
        await Expect(page.Locator("#sign-in")).ToBeVisibleAsync(new() { Timeout = 15_000 });

        await SignInAsync(page, new TestToken { ExpiresAt = TimeProvider.System.GetUtcNow().AddSeconds(5) }.SignedWith(AccessServerFixture.Key));
        await IsLiveAsync(page);
        await Expect(page.Locator("#notice")).ToContainTextAsync("Your sign-in has expired", new() { Timeout = 20_000 });
        await SignInAsync(page, new TestToken().SignedWith(AccessServerFixture.Key));

        await IsLiveAsync(page);
    }

    private async Task<IPage> OpenAsync(IBrowserContext context)
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{server.Server.Address}?s={_session}");
        return page;
    }

    private static async Task SignInAsync(IPage page, string token)
    {
        await page.Locator("#token").FillAsync(token);
        await page.Locator("#token").PressAsync("Enter");
    }

    private static Task IsLiveAsync(IPage page) => Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live", new() { Timeout = 15_000 });
}
