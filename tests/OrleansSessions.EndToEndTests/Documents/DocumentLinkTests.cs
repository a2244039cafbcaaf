using System.Text.RegularExpressions;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Documents;

/// <summary>A link inside the repository must lead to an existing file and, if it names one, to an existing heading or anchor.</summary>
public sealed partial class DocumentLinkTests
{
    public static TheoryData<string> Documents => [.. CodeBlocks.AllDocuments];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_LeadSomewhere(string document)
    {
        var path = Path.Combine(RepositoryFolder.Path, document);
        var broken = Link().Matches(File.ReadAllText(path)).Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal))
            .Where(target => !Leads(path, target));

        Assert.Empty(broken);
    }

    private static bool Leads(string document, string target)
    {
        var (file, heading) = target.Split('#') is [var name, var anchor] ? (name, anchor) : (target, "");
        var path = file.Length == 0 ? document : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(document)!, file));
        return heading.Length == 0 ? Path.Exists(path) : File.Exists(path) && Headings(path).Contains(heading);
    }

    /// <summary>Anchors, and headings in the form that links use: lower case, without punctuation, with hyphens for spaces.</summary>
    private static IEnumerable<string> Headings(string path)
    {
        var text = File.ReadAllText(path);
        return
        [
            .. Heading().Matches(text).Select(match => Punctuation().Replace(match.Groups["text"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-')),
            .. Anchor().Matches(text).Select(match => match.Groups["id"].Value),
        ];
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("""^<a id="(?<id>[^"]+)"></a>""", RegexOptions.Multiline)]
    private static partial Regex Anchor();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
