namespace OrleansSessions.TestKit.Processes;

/// <summary>The paths of the repository and of the server that is built in it.</summary>
public static class RepositoryFolder
{
    private const string Solution = "OrleansSessions.sln";

    /// <summary>The folder of the solution: a parent folder of the test assembly.</summary>
    public static string Path { get; } = Find();

    /// <summary>The path of the server that is built in the same configuration as the running tests.</summary>
    public static string ServerDll
    {
        get
        {
            var framework = new DirectoryInfo(AppContext.BaseDirectory);
            var path = System.IO.Path.Combine(
                Path, "src", "OrleansSessions.Server", "bin", framework.Parent!.Name, framework.Name, "OrleansSessions.Server.dll");
            return File.Exists(path) ? path : throw new FileNotFoundException($"The server has not been built: {path} is missing.");
        }
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
