using System.Text.RegularExpressions;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.Documents;

/// <summary>The samples in the documents must do what the documents say.</summary>
public sealed partial class DocumentSampleTests(EchoServerFixture server) : IClassFixture<EchoServerFixture>
{
    public static TheoryData<string> Documents => [.. CodeBlocks.Documents];

    [Theory]
    [MemberData(nameof(Documents))]
    public void CSharp_CompilesWithoutAWarning(string document)
    {
        var name = "Sample." + document.Replace(Path.DirectorySeparatorChar, '.').Replace(".md", "", StringComparison.Ordinal);

        Assert.All(SampleCompiler.Programs(CodeBlocks.Of(document)), (program, index) =>
            Assert.True(File.Exists(SampleCompiler.Compile(index == 0 ? name : $"{name}{index + 1}", program))));
    }

    [Fact]
    public void Readme_HasSamples() => Assert.True(CodeBlocks.Of("README.md").Count >= 2);

    [Fact]
    public async Task Curl_OfTheReadme_PrintsTheAnswer()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The line is written for a Unix shell.");
        var line = Curl().Match(await File.ReadAllTextAsync(Path.Combine(RepositoryFolder.Path, "README.md"), TestContext.Current.CancellationToken)).Value.Trim('`');
        Assert.Contains("localhost:5080", line, StringComparison.Ordinal);

        await using var shell = ChildProcess.Start(
            line, "/bin/sh", ["-c", line.Replace("localhost:5080", server.Server.Address.Authority, StringComparison.Ordinal)]);
        var code = await shell.ExitAsync(TimeSpan.FromSeconds(30));
        Assert.SkipWhen(code == 127, "curl is not on the path.");

        Assert.Equal(0, code);
        Assert.Contains("\"text\":\"hello\"", shell.Output, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"completed\"", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LanguageModelLine_OfTheReadme_AsksTheModelThatItNames()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(RepositoryFolder.Path, "README.md"), TestContext.Current.CancellationToken);
        var settings = ModelLine().Match(text).Groups["settings"].Value.Split(' ').Select(setting => setting["--".Length..]);
        await using var upstream = await FakeOpenAIServer.StartAsync(exchange => exchange.AnswerAsync($"I am {exchange.Request.GetProperty("model").GetString()}."));
        await using var node = await ServerProcess.StartAsync(
            [.. settings.Select(setting => setting.Replace("http://localhost:11434/v1", upstream.Endpoint, StringComparison.Ordinal))]);

        var answer = await node.Http.AskAsync(Names.Session(), """{"question":"Who are you?"}""", ("Prefer", "wait=10"));

        Assert.Equal("I am llama3.2.", answer.Body.Text("text"));
    }

    /// <summary>A filter that matches no test is an error, and it would be the first command that a newcomer tries.</summary>
    [Fact]
    public async Task Contributing_FiltersByTestsThatExist()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(RepositoryFolder.Path, "CONTRIBUTING.md"), TestContext.Current.CancellationToken);
        var filters = Filter().Matches(text);

        Assert.NotEmpty(filters);
        foreach (Match filter in filters)
        {
            var files = Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Path, filter.Groups["project"].Value), "*.cs", SearchOption.AllDirectories);
            var word = filter.Groups["kind"].Value == "class" ? "class" : "Task";
            Assert.Contains(files, file => Regex.IsMatch(File.ReadAllText(file), $@"\b{word} {filter.Groups["name"].Value}\b"));
        }
    }

    [GeneratedRegex("^dotnet run --project src/OrleansSessions.Server -- (?<settings>--Responder:Name=openai.*)$", RegexOptions.Multiline)]
    private static partial Regex ModelLine();

    [GeneratedRegex("`curl [^`]+`")]
    private static partial Regex Curl();

    [GeneratedRegex(@"^dotnet test --project (?<project>\S+) --filter-(?<kind>class|method) ""\*(?<name>\w+)""$", RegexOptions.Multiline)]
    private static partial Regex Filter();
}
