namespace OrleansSessions.TestKit.Processes;

/// <summary>The paths of the repository and of the server that is built in it.</summary>
public static class RepositoryFolder
{
    private const string Solution = "OrleansSessions.sln";

    /// <summary>The folder of the solution: a parent folder of the test assembly.</summary>
    public static string Path { get; } = Find();

    /// <summary>The path of the server that is built in the same configuration as the running tests.</summary>
    public static string ServerDll => Built("src", "OrleansSessions.Server");

    /// <summary>The path of the benchmarks, which are built in the same way.</summary>
    public static string BenchmarksDll => Built("tests", "OrleansSessions.Benchmarks");

    private static string Built(string folder, string project)
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory);
        var path = System.IO.Path.Combine(Path, folder, project, "bin", framework.Parent!.Name, framework.Name, $"{project}.dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"{project} has not been built: {path} is missing.");
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, Solution)))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"{Solution} was not found in {AppContext.BaseDirectory} or above it.");
    }
}
