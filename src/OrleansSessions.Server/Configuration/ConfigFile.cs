namespace OrleansSessions.Server.Configuration;

/// <summary>Finds what <c>--config</c> names: a file, or just the name of one in a <c>silo-config</c> folder, with or without <c>.json</c>.</summary>
internal static class ConfigFile
{
    /// <summary>The option's key.</summary>
    public const string Key = "config";

    private const string Folder = "silo-config";

    /// <param name="currentFolder">Searched first, and upward from it for <c>silo-config</c>.</param>
    /// <param name="programFolder">Searched last: files that came with the program.</param>
    /// <exception cref="ConfigurationErrorException">Nothing of that name is in any of the places.</exception>
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

    /// <summary>Combining with a rooted name gives that name, so a full path is looked for as it stands.</summary>
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
