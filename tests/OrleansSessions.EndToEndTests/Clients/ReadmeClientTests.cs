using OrleansSessions.EndToEndTests.Documents;
using OrleansSessions.EndToEndTests.JavaScript;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The five lines of each client in the README, as a reader would copy them.</summary>
public sealed class ReadmeClientTests(EchoServer server, JavaScriptPackage package) : IClassFixture<EchoServer>, IClassFixture<JavaScriptPackage>
{
    private const string Address = "http://localhost:5080";
    private const string Answer = "What is a grain?";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task JavaScript_PrintsTheAnswer()
    {
        var script = Path.Combine(package.Folder, "readme.mjs");
        await File.WriteAllTextAsync(script, Lines("js", "readme-javascript"), TestContext.Current.CancellationToken);

        Assert.Equal(Answer, (await package.RunAsync(script)).Trim());
    }

    [Fact]
    public async Task CSharp_PrintsTheAnswer()
    {
        var program = SampleCompiler.Compile("ReadmeClient", [Lines("csharp", "readme-dotnet")]);
        await using var run = ChildProcess.Start("the README's client", ChildProcess.DotnetPath, SampleCompiler.RunArguments(program));

        Assert.True(await run.ExitAsync(Patience) == 0, run.Output);
        Assert.Equal(Answer, run.Output.Trim());
    }

    [Fact]
    public async Task Python_PrintsTheAnswer()
    {
        var lines = Lines("python", "readme-python").Split('\n');
        var program = $"import asyncio\nasync def main():\n    {string.Join("\n    ", lines)}\nasyncio.run(main())";

        Assert.Equal(Answer, (await PythonInterpreter.RunAsync(["-c", program], Path.GetTempPath())).Trim());
    }

    /// <summary>The README's block, with the address of the server and a session of its own.</summary>
    private string Lines(string language, string session)
    {
        var block = Assert.Single(CodeBlocks.Of("README.md", language), block => block.Contains(Address, StringComparison.Ordinal));
        Assert.Contains("demo", block, StringComparison.Ordinal);
        return block.Replace(Address, server.Address.AbsoluteUri.TrimEnd('/'), StringComparison.Ordinal).Replace("demo", session, StringComparison.Ordinal).Trim();
    }
}
