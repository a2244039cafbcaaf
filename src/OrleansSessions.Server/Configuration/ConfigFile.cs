namespace OrleansSessions.Server.Configuration;

/// <summary>Finds the file that <c>--config</c> names: a path, or the name of a file in a <c>silo-config</c> folder, with or without <c>.json</c>.</summary>
internal static class ConfigFile
{
    public const string Key = "config";

    private const string Folder = "silo-config";

    /// <param name="currentFolder">Searched first. Its <c>silo-config</c> folder and those of its parent folders are searched next.</param>
    /// <param name="programFolder">Searched last, for files that are installed with the program.</param>
    /// <exception cref="ConfigurationErrorException">No searched folder contains the file.</exception>
    public static string Find(string name, string currentFolder, string programFolder)
    {
        var places = Places(currentFolder, programFolder).ToList();
        var found = places.SelectMany(place => Spellings(place, name)).FirstOrDefault(File.Exists);
        return found ?? throw new ConfigurationErrorException(
            [$"--config is '{name}'; no such file in: {string.Join(", ", places.Where(Directory.Exists).Prepend(currentFolder).Distinct())}."]);
    }

    private static IEnumerable<string> Places(string currentFolder, string programFolder)
    {
        yield return currentFolder;
        for (var folder = new DirectoryInfo(currentFolder); folder is not null; folder = folder.Parent)
        {
            yield return Path.Combine(folder.FullName, Folder);
        }

        yield return programFolder;
        yield return Path.Combine(programFolder, Folder);
    }

    /// <summary>Combining a folder with a rooted path returns that path, so a full path is used as it is.</summary>
    private static IEnumerable<string> Spellings(string folder, string name)
    {
        var path = Path.GetFullPath(Path.Combine(folder, name));
        yield return path;
        if (!path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            yield return path + ".json";
        }
    }
}
