using Microsoft.Playwright;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>An installed Chromium, Chrome or Edge, and a server that answers slowly enough to watch.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    /// <summary>Another host name of this machine, only for this browser.</summary>
    public const string OtherName = "chat.test";

    private static readonly string[] Arguments =
    [
        // A page whose content a test provides has no address, so the browser would not let it access a server on loopback.
        $"--host-resolver-rules=MAP {OtherName} 127.0.0.1", "--disable-features=LocalNetworkAccessChecks",
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"];

    private static readonly string[] Elsewhere =
    [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
        @"C:\Program Files\Google\Chrome\Application\chrome.exe", @"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ];

    private readonly string? _path = FindBrowser();
    private ServerProcess? _server;
    private IPlaywright? _playwright;

    public ServerProcess Server => _server!;

    public IBrowser Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (_path is null)
        {
            return;
        }

        // The library must not download a browser.
        Environment.SetEnvironmentVariable("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        _server = await ServerProcess.StartAsync("Responder:Echo:InitialDelay=00:00:00.2", "Responder:Echo:Delay=00:00:00.1");
        _playwright = await Playwright.CreateAsync();

        // On a busy machine a page is slow. A test that passes does not wait for this.
        Assertions.SetDefaultExpectTimeout(20_000);
        Browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = _path, Args = Arguments });
    }

    /// <summary>Opens an empty page that adds its errors to a list. A broken socket is no error of the page.</summary>
    public async Task<IPage> NewPageAsync(List<string> faults)
    {
        var page = await Browser.NewPageAsync(new() { ViewportSize = new() { Width = 1000, Height = 720 } });
        page.PageError += (_, fault) => faults.Add(fault);
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("WebSocket", StringComparison.Ordinal))
            {
                faults.Add(message.Text);
            }
        };
        return page;
    }

    public void SkipIfAbsent()
    {
        if (_path is null)
        {
            const string Reason = "No Chromium, Chrome or Edge is installed.";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{Reason} CI must run this test.");
            Assert.Skip(Reason);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null)
        {
            await Browser.DisposeAsync();
        }

        _playwright?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    private static string? FindBrowser() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => Names.Select(name => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name)))
        .Concat(Elsewhere).FirstOrDefault(File.Exists);
}
