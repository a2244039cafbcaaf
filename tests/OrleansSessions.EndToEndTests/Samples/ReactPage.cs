using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using OrleansSessions.EndToEndTests.JavaScript;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary>
/// The sample <c>samples/react-page</c>, built as its <c>package.json</c> says and served by a host of its own, and a server that allows its origin.
/// The page uses the package of the working folder.
/// </summary>
public sealed class ReactPage : IAsyncLifetime
{
    private static readonly TimeSpan BuildPatience = TimeSpan.FromSeconds(60);

    private readonly JavaScriptPackage _package = new();
    private WebApplication? _pages;
    private ServerProcess? _server;

    public ServerProcess Server => _server!;

    public async ValueTask InitializeAsync() => await _package.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        if (_pages is not null)
        {
            await _pages.DisposeAsync();
        }

        await _package.DisposeAsync();
    }

    /// <summary>The address of the page with a session. Skips the test if the packages of npm cannot be installed.</summary>
    public async Task<string> AddressAsync(string session)
    {
        if (_pages is null)
        {
            await StartAsync(await BuildAsync(_package.Folder));
        }

        return $"{_pages!.Urls.Single()}/?server={Uri.EscapeDataString(Server.Address.AbsoluteUri)}&s={session}";
    }

    /// <summary>A page inside the folder of the package finds the package under its own name.</summary>
    private async Task<string> BuildAsync(string package)
    {
        var sample = Path.Combine(RepositoryFolder.Path, "samples", "react-page");
        var folder = Directory.CreateDirectory(Path.Combine(package, "page")).FullName;
        foreach (var file in new[] { "index.html", "main.jsx", "style.css" })
        {
            File.Copy(Path.Combine(sample, file), Path.Combine(folder, file));
        }

        using var described = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(sample, "package.json")));
        var build = described.RootElement.GetProperty("scripts").GetProperty("build").GetString()!.Split(' ');
        await using var esbuild = ChildProcess.Start(
            "esbuild", NpmInstallation.Node!, [_package.Installed("esbuild", "bin", build[0]), .. build[1..]], folder: folder);
        Assert.True(await esbuild.ExitAsync(BuildPatience) == 0, esbuild.Output);
        return folder;
    }

    private async Task StartAsync(string folder)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _pages = builder.Build();
        _pages.UseFileServer(new FileServerOptions { FileProvider = new PhysicalFileProvider(folder) });
        await _pages.StartAsync();
        _server = await ServerProcess.StartAsync("Responder:Name=external", $"SocketGateway:AllowedOrigins:0={_pages.Urls.Single()}");
    }
}
