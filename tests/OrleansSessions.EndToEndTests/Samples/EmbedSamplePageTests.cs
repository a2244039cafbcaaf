using Microsoft.Playwright;
using OrleansSessions.EndToEndTests.Page;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary>The page of the sample in a browser, as a customer uses it.</summary>
public sealed class EmbedSamplePageTests(SlowEmbedSample sample, BrowserFixture fixture) : IClassFixture<SlowEmbedSample>, IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task TwoTabsOfACustomer_FollowOneAnswer_AndStopEndsItInBoth()
    {
        fixture.SkipIfAbsent();
        await using var context = await fixture.Browser.NewContextAsync();
        var first = await SignInAsync(context, "alice");
        var second = await SignInAsync(context, "alice");
        await first.FillAsync("#question", "Where are my parcels?");
        await first.PressAsync("#question", "Enter");
        await Expect(second.Locator(".answer")).ToContainTextAsync("Parcel 17");

        await second.ClickAsync("#stop");

        await Expect(first.Locator(".answer")).ToContainTextAsync("(stopped)");
        await Expect(second.Locator(".answer")).ToContainTextAsync("(stopped)");
        Assert.Equal(await first.Locator(".answer").TextContentAsync(), await second.Locator(".answer").TextContentAsync());
    }

    [Fact]
    public async Task WrongPassword_IsSaid()
    {
        fixture.SkipIfAbsent();
        await using var context = await fixture.Browser.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(sample.Address.AbsoluteUri);

        await page.FillAsync("#name", "alice");
        await page.FillAsync("#password", "guess");
        await page.ClickAsync("#sign-in button");

        await Expect(page.Locator("#refused")).ToBeVisibleAsync();
        await Expect(page.Locator("#chat")).ToBeHiddenAsync();
    }

    private async Task<IPage> SignInAsync(IBrowserContext context, string name)
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync(sample.Address.AbsoluteUri);
        await page.FillAsync("#name", name);
        await page.FillAsync("#password", name);
        await page.ClickAsync("#sign-in button");
        await Expect(page.Locator("#chat")).ToBeVisibleAsync();
        return page;
    }
}
