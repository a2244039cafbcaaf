using System.Security.Cryptography;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>The npm package <c>@dwmkerr/mock-llm</c>, installed once beside the test assembly, in the versions of its lock file.</summary>
internal static class MockLlmInstallation
{
    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(3);

    /// <summary>The path of <c>node</c>, or null if it is not on the path.</summary>
    public static string? Node { get; } = ProgramPath.Find(OperatingSystem.IsWindows() ? "node.exe" : "node");

    private static string? Npm { get; } = ProgramPath.Find(OperatingSystem.IsWindows() ? "npm.cmd" : "npm");

    /// <summary>Installs the package unless it is there. Returns the path of its program, or the reason why it cannot be installed.</summary>
    public static async Task<(string? Program, string? Missing)> GetAsync()
    {
        if (Node is null || Npm is null)
        {
            return (null, $"{(Node is null ? "node" : "npm")} is not on the path.");
        }

        var source = Path.Combine(RepositoryFolder.Path, "tests", "OrleansSessions.EndToEndTests", "Upstream", "mock-llm");
        var version = Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(source, "package-lock.json"))))[..12];
        var folder = Path.Combine(AppContext.BaseDirectory, $"mock-llm-{version}");
        if (!Directory.Exists(folder) && await InstallAsync(source, folder) is { } reason)
        {
            return (null, reason);
        }

        return (Path.Combine(folder, "node_modules", "@dwmkerr", "mock-llm", "dist", "main.js"), null);
    }

    /// <summary>Returns null, or the reason why it failed.</summary>
    private static async Task<string?> InstallAsync(string source, string folder)
    {
        // Two test processes can install at once. Each does so in its own folder, and the first to finish gives it its name.
        var own = $"{folder}-{Guid.NewGuid():N}";
        Directory.CreateDirectory(own);
        try
        {
            foreach (var file in Directory.GetFiles(source))
            {
                File.Copy(file, Path.Combine(own, Path.GetFileName(file)));
            }

            await using (var npm = ChildProcess.Start("npm ci", Npm!, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder: own))
            {
                if (await npm.ExitAsync(InstallPatience) != 0)
                {
                    return $"npm could not install mock-llm:\n{npm.Output}";
                }
            }

            Directory.Move(own, folder);
            return null;
        }
        catch (TimeoutException fault)
        {
            return fault.Message;
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // The other process was faster.
            return null;
        }
        finally
        {
            if (Directory.Exists(own))
            {
                Directory.Delete(own, recursive: true);
            }
        }
    }
}
