using System.Globalization;
using OrleansSessions.TestKit.Processes;
using YamlDotNet.RepresentationModel;

namespace OrleansSessions.Tests.Deploy;

/// <summary>A value in a YAML file. What is absent is a failure that names its path.</summary>
internal sealed record YamlValue(string Path, YamlNode Node)
{
    /// <summary>The documents of a file of the repository.</summary>
    public static IReadOnlyList<YamlValue> Read(string file)
    {
        using var text = File.OpenText(System.IO.Path.Combine(RepositoryFolder.Path, file));
        var stream = new YamlStream();
        stream.Load(text);
        return [.. stream.Documents.Select(document => new YamlValue(file, document.RootNode))];
    }

    public YamlValue this[string path] => path.Split('/').Aggregate(
        this, static (value, key) => value.Find(key) ?? throw new KeyNotFoundException($"{value.Path} has no {key}."));

    public string Text => ((YamlScalarNode)Node).Value!;

    public int Number => int.Parse(Text, CultureInfo.InvariantCulture);

    public IReadOnlyList<YamlValue> Items => [.. ((YamlSequenceNode)Node).Children.Select((item, i) => new YamlValue($"{Path}/{i}", item))];

    public IReadOnlyDictionary<string, YamlValue> Fields => ((YamlMappingNode)Node).Children.ToDictionary(
        entry => ((YamlScalarNode)entry.Key).Value!, entry => new YamlValue($"{Path}/{entry.Key}", entry.Value));

    public YamlValue? Find(string key) => Fields.GetValueOrDefault(key);
}
