using System.Security;
using OrleansSessions.EndToEndTests.Documents;
using OrleansSessions.EndToEndTests.Samples;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Packages;

/// <summary>
/// The libraries as packages, in a folder outside the repository. The existing build output is packed, with a version that is unique for each run.
/// Packages that a project restores from there stay in that folder.
/// </summary>
public sealed class PackedLibraries : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sessions-packages-");
    private readonly string _suffix = $"test.{Guid.NewGuid():N}";

    /// <summary>The folder with the packages.</summary>
    public string Feed => Path.Combine(_folder.FullName, "feed");

    public string Version { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        await RunAsync(
            RepositoryFolder.Path, "pack", "OrleansSessions.sln", "--no-build", "--configuration", configuration, "--output", Feed, "--version-suffix", _suffix);
        var name = Path.GetFileNameWithoutExtension(Directory.GetFiles(Feed, "OrleansSessions.Protocol.*.nupkg").Single());
        Version = name["OrleansSessions.Protocol.".Length..];
    }

    /// <summary>Creates the project of the document in a new folder, with these packages in place of the published ones, and builds it.</summary>
    /// <returns>The path of the program.</returns>
    public async Task<string> BuildProjectOfAsync(string document, string name)
    {
        var project = Path.Combine(_folder.FullName, name);
        Directory.CreateDirectory(project);
        await File.WriteAllTextAsync(Path.Combine(project, "nuget.config"), Config());
        await File.WriteAllTextAsync(
            Path.Combine(project, $"{name}.csproj"), CodeBlocks.Of(document, "xml").Single().Replace("\"0.1.0\"", $"\"{Version}\"", StringComparison.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), HostProcess.WithFreeSiloPorts(CodeBlocks.Of(document).Single()));

        await RunAsync(project, "build", "--output", "out", "-p:TreatWarningsAsErrors=true");

        return Path.Combine(project, "out", $"{name}.dll");
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>A configuration with this feed beside the machine's own sources. Packages that the machine has already are not downloaded again.</summary>
    private string Config() =>
        $"""
        <configuration>
          <packageSources>
            <add key="packed" value="{SecurityElement.Escape(Feed)}" />
          </packageSources>
          <fallbackPackageFolders>
            <add key="machine" value="{SecurityElement.Escape(MachinePackages())}" />
          </fallbackPackageFolders>
        </configuration>
        """;

    private static string MachinePackages() => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
        ? folder
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private async Task RunAsync(string folder, params string[] arguments)
    {
        await using var process = ChildProcess.Start(
            $"dotnet {arguments[0]}", ChildProcess.DotnetPath,
            // No compiler server or MSBuild node may keep running.
            [.. arguments, "--nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false"],
            new Dictionary<string, string> { ["NUGET_PACKAGES"] = Path.Combine(_folder.FullName, "packages"), ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1" },
            folder);
        var code = await process.ExitAsync(Patience);
        Assert.True(code == 0, $"dotnet {string.Join(' ', arguments)} ended with {code}:\n{process.Output}");
    }
}
