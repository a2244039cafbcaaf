using System.Security.Cryptography;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.JavaScript;

/// <summary>The npm packages of a lock file, installed once beside the test assembly.</summary>
internal static class NpmInstallation
{
    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(3);

    /// <summary>The path of <c>node</c>, or null if it is not on the path.</summary>
    public static string? Node { get; } = ProgramPath.Find(OperatingSystem.IsWindows() ? "node.exe" : "node");

    private static string? Npm { get; } = ProgramPath.Find(OperatingSystem.IsWindows() ? "npm.cmd" : "npm");

    /// <summary>Installs the packages unless they are there.</summary>
    /// <param name="name">The name of the installation, for its folder and for messages.</param>
    /// <param name="source">The path of a folder with a <c>package.json</c> and a <c>package-lock.json</c>, from the root of the repository.</param>
    /// <returns>The folder that has <c>node_modules</c>, or the reason why they cannot be installed.</returns>
    public static async Task<(string? Folder, string? Missing)> GetAsync(string name, params string[] source)
    {
        if (Node is null || Npm is null)
        {
            return (null, $"{(Node is null ? "node" : "npm")} is not on the path.");
        }

        var path = Path.Combine([RepositoryFolder.Path, .. source]);
        var version = Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(path, "package-lock.json"))))[..12];
        var folder = Path.Combine(AppContext.BaseDirectory, $"{name}-{version}");
        return Directory.Exists(folder) || await InstallAsync(name, path, folder) is not { } reason ? (folder, null) : (null, reason);
    }

    /// <summary>Returns null, or the reason why it failed.</summary>
    private static async Task<string?> InstallAsync(string name, string source, string folder)
    {
        // Two test processes can install at once. Each does so in its own folder, and the first to finish gives it its name.
        var own = $"{folder}-{Guid.NewGuid():N}";
        Directory.CreateDirectory(own);
        try
        {
            foreach (var file in new[] { "package.json", "package-lock.json" })
            {
                File.Copy(Path.Combine(source, file), Path.Combine(own, file));
            }

            await using (var npm = ChildProcess.Start("npm ci", Npm!, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder: own))
            {
                if (await npm.ExitAsync(InstallPatience) != 0)
                {
                    return $"npm could not install {name}:\n{npm.Output}";
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
