using System.Text.RegularExpressions;

namespace OrleansSessions.EndToEndTests.Deploy;

/// <summary>What COPY can see of a folder: everything but what its <c>.dockerignore</c> leaves out.</summary>
internal sealed class BuildContext
{
    private readonly string _folder;
    private readonly Regex[] _ignored;

    public BuildContext(string folder)
    {
        _folder = folder;
        _ignored = [.. File.ReadLines(Path.Combine(folder, ".dockerignore")).Where(line => line.Length > 0 && !line.StartsWith('#')).Select(Pattern)];
    }

    /// <summary>Carries out <c>COPY sources... target</c>: the content of folders, or files, with <c>*</c> in a file's name.</summary>
    public void Copy(string[] words, string root)
    {
        var target = Path.Combine(root, words[^1]);
        foreach (var source in words[..^1])
        {
            var path = Path.Combine(_folder, source);
            var files = Directory.Exists(path)
                ? Directory.EnumerateFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
                    .Select(file => (From: file, To: Path.GetRelativePath(path, file)))
                : Directory.EnumerateFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path)).Select(file => (From: file, To: Path.GetFileName(file)));
            var copied = 0;
            foreach (var (from, to) in files.Where(file => !IsIgnored(Path.GetRelativePath(_folder, file.From))))
            {
                var destination = Path.Combine(target, to);
                Directory.CreateDirectory(Path.GetDirectoryName(destination)!);
                File.Copy(from, destination, overwrite: true);
                copied++;
            }

            if (copied == 0)
            {
                throw new FileNotFoundException($"COPY finds nothing at {source}.");
            }
        }
    }

    private bool IsIgnored(string path) => _ignored.Any(pattern => pattern.IsMatch(path.Replace('\\', '/')));

    private static Regex Pattern(string line)
    {
        var isAnywhere = line.StartsWith("**/", StringComparison.Ordinal);
        var name = isAnywhere ? line[3..] : line;
        return name.AsSpan().IndexOfAny("*!?[") < 0
            ? new Regex($"^{(isAnywhere ? "(.*/)?" : "")}{Regex.Escape(name)}(/|$)")
            : throw new NotSupportedException($"The test does not know this pattern of .dockerignore: {line}");
    }
}
