using System.IO.Compression;
using System.Net;
using System.Xml.Linq;
using OrleansSessions.EndToEndTests.Samples;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Packages;

/// <summary>The packages must be sufficient for a reader without the repository.</summary>
public sealed class PackedLibrariesTests(PackedLibraries packages) : IClassFixture<PackedLibraries>
{
    /// <summary>All projects of the product, except the executable.</summary>
    public static TheoryData<string> Libraries =>
    [
        .. Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Path, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetFileNameWithoutExtension(path)!).Where(name => name != "OrleansSessions.Server").Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Library_IsPacked_WithItsReadmeDescriptionTagsAndSymbols(string library)
    {
        using var package = ZipFile.OpenRead(Path.Combine(packages.Feed, $"{library}.{packages.Version}.nupkg"));
        using var symbols = ZipFile.OpenRead(Path.Combine(packages.Feed, $"{library}.{packages.Version}.snupkg"));

        Assert.NotNull(package.GetEntry($"lib/net10.0/{library}.dll"));
        Assert.NotNull(package.GetEntry($"lib/net10.0/{library}.xml"));
        Assert.NotNull(package.GetEntry("README.md"));
        Assert.NotNull(symbols.GetEntry($"lib/net10.0/{library}.pdb"));
        var metadata = Metadata(package);
        Assert.Equal(("README.md", "MIT"), (metadata("readme"), metadata("license")));
        Assert.NotEqual(("Package Description", ""), (metadata("description"), metadata("tags")));
        Assert.NotEqual(library, metadata("authors"));
    }

    [Fact]
    public void NothingElse_IsPacked() => Assert.Equal(
        [.. Libraries.Select(row => $"{row.Data}.{packages.Version}.nupkg")],
        Directory.GetFiles(packages.Feed, "*.nupkg").Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Fact]
    public async Task PackedLibraries_RestoreIntoAFreshProject_AndAnswer()
    {
        var program = await packages.BuildProjectOfAsync(Path.Combine("src", "OrleansSessions.SocketGateway", "README.md"), "Fresh");
        await using var host = await HostProcess.StartAsync("the project that uses the packages", [program]);

        var answer = await host.Http.AskAsync(Names.Session(), """{"question":"Will it rain?"}""", ("Prefer", "wait=10"));

        Assert.Equal((HttpStatusCode.OK, "Let me look. Take an umbrella."), (answer.Status, answer.Body.Text("text")));
    }

    private static Func<string, string> Metadata(ZipArchive package)
    {
        using var file = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        var metadata = XDocument.Load(file).Root!.Elements().Single();
        return name => metadata.Element(metadata.Name.Namespace + name)?.Value ?? "";
    }
}
