using System.Text.RegularExpressions;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Documents;

/// <summary>The samples in a document, as a reader would copy them.</summary>
internal static partial class CodeBlocks
{
    /// <summary>All documents of the repository.</summary>
    public static IReadOnlyList<string> AllDocuments { get; } =
    [
        .. Directory.EnumerateFiles(RepositoryFolder.Path, "*.md", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 4 })
            .Select(path => Path.GetRelativePath(RepositoryFolder.Path, path))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(folder => folder is "bin" or "obj" or "node_modules" || folder.StartsWith('.')))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>All documents of the repository that contain a sample in C#.</summary>
    public static IReadOnlyList<string> Documents { get; } = [.. AllDocuments.Where(path => Of(path).Count > 0)];

    public static IReadOnlyList<string> Of(string document, string language = "csharp") =>
    [
        .. Block().Matches(File.ReadAllText(Path.Combine(RepositoryFolder.Path, document)))
            .Where(match => match.Groups["language"].Value == language).Select(match => match.Groups["code"].Value),
    ];

    [GeneratedRegex(@"^```(?<language>\w+)\r?\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
