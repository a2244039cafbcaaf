using System.Reflection;
using System.Text;
using System.Text.Json;
using Xunit;

namespace OrleansSessions.TestKit.Documents;

/// <summary>The machine-readable parts of docs/protocol.md: its JSON examples and its tables.</summary>
public static class ProtocolDocument
{
    private static readonly string[] Lines = Read("docs/protocol.md").Split('\n');

    /// <summary>Returns all examples whose code block is tagged <c>json</c> and this word. A block can contain several examples.</summary>
    public static IReadOnlyList<string> Examples(string tag) => [.. Blocks().Where(block => block.Tag == tag).SelectMany(block => Split(block.Text))];

    /// <summary>The tags that the document uses.</summary>
    public static IReadOnlySet<string> Tags() => Blocks().Select(block => block.Tag).ToHashSet();

    /// <summary>Returns the rows of the table whose header starts with these columns, as cells without code ticks.</summary>
    public static IReadOnlyList<string[]> Table(params string[] columns)
    {
        var header = Array.FindIndex(Lines, line => line.TrimStart().StartsWith('|') && Cells(line).Take(columns.Length).SequenceEqual(columns));
        Assert.True(header >= 0, $"docs/protocol.md has no table | {string.Join(" | ", columns)} |");
        return [.. Lines.Skip(header + 2).TakeWhile(line => line.TrimStart().StartsWith('|')).Select(Cells)];
    }

    /// <summary>Returns a document that is embedded in this assembly.</summary>
    public static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name);
        Assert.NotNull(stream);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string[] Cells(string row) => [.. row.Trim().Trim('|').Split('|').Select(cell => cell.Trim().Trim('`'))];

    private static IEnumerable<(string Tag, string Text)> Blocks()
    {
        for (var line = 0; line < Lines.Length; line++)
        {
            if (!Lines[line].StartsWith("```json", StringComparison.Ordinal))
            {
                continue;
            }

            var end = Array.IndexOf(Lines, "```", line);
            Assert.True(end > line, $"The block at line {line + 1} of docs/protocol.md does not end.");
            yield return (Lines[line]["```json".Length..].Trim(), string.Join('\n', Lines[(line + 1)..end]));
            line = end;
        }
    }

    private static IEnumerable<string> Split(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        for (var from = 0; from < utf8.Length;)
        {
            var json = new Utf8JsonReader(utf8.AsSpan(from), new JsonReaderOptions { AllowMultipleValues = true });
            if (!json.Read())
            {
                yield break;
            }

            var start = (int)json.TokenStartIndex;
            json.Skip();
            var length = (int)json.BytesConsumed;
            yield return Encoding.UTF8.GetString(utf8, from + start, length - start);
            from += length;
        }
    }
}
