using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Hosting;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>Compares the table of keys in <c>silo-config/README.md</c> with the options.</summary>
public sealed partial class ConfigurationTableTests
{
    private static readonly Dictionary<string, string> Defaults = ReadTable();

    public static TheoryData<string, string> Options =>
    [
        .. from section in KnownSections.All
           let options = Activator.CreateInstance(section.Options)
           from property in section.Options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
           where property.CanWrite
           select new TheoryDataRow<string, string>($"{section.Path}:{property.Name}", Format(property.GetValue(options))),
    ];

    [Theory]
    [MemberData(nameof(Options))]
    public void Table_HasEveryOptionWithItsDefault(string key, string expected) => Assert.Equal((key, expected), (key, Defaults.GetValueOrDefault(key)));

    [Fact]
    public void Table_HasNoKeyThatIsNeverRead() => Assert.Empty(Defaults.Keys.Except(Options.Select(row => row.Data.Item1)));

    [Fact]
    public void Files_HoldNoMistake()
    {
        var files = Directory.GetFiles(Folder(), "*.json");

        Assert.NotEmpty(files);
        Assert.All(files, file =>
        {
            var values = new Microsoft.Extensions.Configuration.ConfigurationManager();
            Microsoft.Extensions.Configuration.JsonConfigurationExtensions.AddJsonFile(values, file);
            OrleansSessions.Server.Hosting.ConfigurationCheck.ThrowOnMistakes(CheckedConfiguration.Check(values, values, KnownSections.All));
        });
    }

    private static string Format(object? value) => value switch
    {
        null or "" => "none",
        string text => text,
        bool isSet => isSet ? "true" : "false",
        IEnumerable list when !list.Cast<object>().Any() => "none",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static Dictionary<string, string> ReadTable() => File.ReadLines(Path.Combine(Folder(), "README.md"))
        .Select(line => Row().Match(line)).Where(match => match.Success)
        .ToDictionary(match => match.Groups["key"].Value, match => match.Groups["default"].Value.Trim('`'));

    private static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "silo-config");
            if (File.Exists(Path.Combine(candidate, "README.md")))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException("No folder above the tests contains silo-config/README.md.");
    }

    [GeneratedRegex(@"^\| `(?<key>\w+(:\w+)+)` \| [^|]+ \| (?<default>[^|]+) \| [^|]+ \| [^|]+ \|$")]
    private static partial Regex Row();
}
