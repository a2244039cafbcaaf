using Microsoft.Playwright;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>One process on its file, watched in a browser: it is killed in the middle of an answer, and started again.</summary>
public sealed class RestartTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>, IDisposable
{
    private const int Words = 100;

    private readonly string _folder = Directory.CreateTempSubdirectory("sessions-").FullName;
    private readonly string _session = Names.Session("restart");
    private readonly List<string> _faults = [];

    private string[] Settings =>
    [
        $"Sessions:File={Path.Combine(_folder, "sessions.db")}", "Sessions:Persistence=File", "Sessions:CheckpointInterval=00:00:00.5",
        "Responder:Echo:InitialDelay=00:00:00.2", "Responder:Echo:Delay=00:00:00.1", "SocketGateway:ReconnectMax=00:00:00.5",
    ];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task KilledInTheMiddleOfAnAnswer_AndStartedAgain_ThePageSeesTheAnswerGoOn()
    {
        fixture.SkipIfAbsent();
        var question = string.Join(' ', Enumerable.Range(1, Words).Select(number => $"word{number}"));
        string[] settings = [.. Settings, $"urls=http://127.0.0.1:{FreePort.Take()}"];
        await using var before = await ServerProcess.StartAsync(settings);
        var page = await OpenAsync(before);
        await AskAsync(page, "short one");
        await Expect(page.Locator(".answer")).ToHaveTextAsync("short one");
        await AskAsync(page, question);

        // More than one checkpoint has been written by then.
        await Expect(page.Locator(".answer").Nth(1)).ToContainTextAsync("word20");
        before.Kill();
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "reconnecting");
        await ScreenshotAsync(page, "killed");
        await using var after = await ServerProcess.StartAsync(settings);

        // Text that was seen after the last checkpoint is withdrawn, and comes again.
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live");
        await Expect(page.Locator(".answer").Nth(1)).ToContainTextAsync("word10");
        await ScreenshotAsync(page, "goes-on");
        await Expect(page.Locator(".answer").Nth(1)).ToHaveTextAsync(question, new() { Timeout = 30_000 });
        await Expect(page.Locator(".answer").Nth(0)).ToHaveTextAsync("short one");
        await Expect(page.Locator("#forgotten")).ToBeHiddenAsync();
        await Expect(page.Locator("#send")).ToBeEnabledAsync();
        var stored = (await after.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions")).Body.GetProperty("questions");
        Assert.Equal(["short one", question], stored.EnumerateArray().Select(asked => asked.Text("text")));
        Assert.DoesNotContain(_faults, fault => !fault.Contains("ERR_CONNECTION_REFUSED", StringComparison.Ordinal));
    }

    private async Task<IPage> OpenAsync(ServerProcess server)
    {
        var page = await fixture.NewPageAsync(_faults);
        await page.GotoAsync($"{server.Address}?s={_session}");
        await Expect(page.Locator("#connection")).ToHaveAttributeAsync("data-state", "live", new() { Timeout = 15_000 });
        return page;
    }

    private static async Task AskAsync(IPage page, string text)
    {
        await page.Locator("#text").FillAsync(text);
        await page.Locator("#text").PressAsync("Enter");
    }

    private static Task<byte[]> ScreenshotAsync(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", $"restart-{name}.png") });
}
