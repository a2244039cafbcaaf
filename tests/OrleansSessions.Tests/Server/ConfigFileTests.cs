using OrleansSessions.Server.Configuration;
using Xunit;

namespace OrleansSessions.Tests.Server;

public sealed class ConfigFileTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Find_LooksInTheNearestPlaceFirst()
    {
        string[] nearestFirst =
        [
            _root.Write("work/deep/mine.json"),
            _root.Write("work/deep/silo-config/mine.json"),
            _root.Write("work/silo-config/mine.json"),
            _root.Write("silo-config/mine.json"),
            _root.Write("program/mine.json"),
            _root.Write("program/silo-config/mine.json"),
        ];

        foreach (var expected in nearestFirst)
        {
            Assert.Equal(expected, Find("mine"));
            Assert.Equal(expected, Find("mine.json"));
            File.Delete(expected);
        }
    }

    [Fact]
    public void Find_WithAFullPath_TakesThatFile()
    {
        var path = _root.Write("elsewhere/settings.json");
        Directory.CreateDirectory(Current);

        Assert.Equal(path, Find(path));
    }

    [Fact]
    public void Find_WhereThereIsNone_NamesThePlaces()
    {
        _root.Write("work/silo-config/other.json");

        var failure = Assert.Throws<ConfigurationErrorException>(() => Find("mine"));

        var error = Assert.Single(failure.Errors);
        Assert.StartsWith("--config is 'mine'; no such file in: ", error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_root.Path, "work", "silo-config"), error, StringComparison.Ordinal);
    }

    private string Current => Path.Combine(_root.Path, "work", "deep");

    private string Find(string name) => ConfigFile.Find(name, Current, Path.Combine(_root.Path, "program"));
}
