using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.JavaScript;

/// <summary>
/// A copy of <c>clients/javascript</c> whose programs find the packages that its development needs. The copy is in the folder of the installed packages,
/// because Node searches all folders above a file.
/// </summary>
public sealed class JavaScriptPackage : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string Source = Path.Combine(RepositoryFolder.Path, "clients", "javascript");

    private string? _folder;

    /// <summary>The reason why npm cannot install the packages, or null.</summary>
    public string? Missing { get; private set; }

    /// <summary>The folder of the copy. Skips the test if npm cannot install the packages; on a build server that is a failure.</summary>
    public string Folder
    {
        get
        {
            Assert.False(Missing is not null && Environment.GetEnvironmentVariable("CI") == "true", $"CI must run this test. {Missing}");
            Assert.SkipWhen(Missing is not null, Missing ?? "");
            return _folder!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        (var installed, Missing) = await NpmInstallation.GetAsync("javascript-client", "clients", "javascript");
        if (installed is null)
        {
            return;
        }

        _folder = Path.Combine(installed, $"copy-{Guid.NewGuid():N}");
        foreach (var file in Directory.EnumerateFiles(Source, "*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(Source, file);
            if (!path.StartsWith("node_modules", StringComparison.Ordinal))
            {
                var copy = Path.Combine(_folder, path);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Runs a program of Node in the copy to its end. Returns what it wrote; the test fails if the program does.</summary>
    public async Task<string> RunAsync(string script, params string[] arguments)
    {
        await using var node = ChildProcess.Start(Path.GetFileName(script), NpmInstallation.Node!, [script, .. arguments], folder: Folder);
        Assert.True(await node.ExitAsync(Patience) == 0, node.Output);
        return node.Output;
    }

    /// <summary>The path of a file of an installed package.</summary>
    public string Installed(params string[] path) => Path.Combine([Path.GetDirectoryName(Folder)!, "node_modules", .. path]);
}
