namespace OrleansSessions.TestKit.Processes;

/// <summary>Finds programs that tests use and that need not be installed.</summary>
public static class ProgramPath
{
    /// <summary>Returns the path of a program, or null. Debian has some servers in a folder that is not on everyone's path.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
