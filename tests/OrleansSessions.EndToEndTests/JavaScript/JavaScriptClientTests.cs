using System.Text.Json;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.JavaScript;

/// <summary>The package <c>orleans-sessions</c>: its types, its size, and its client with the real server.</summary>
public sealed class JavaScriptClientTests(EchoServer server, JavaScriptPackage package) : IClassFixture<EchoServer>, IClassFixture<JavaScriptPackage>
{
    private static readonly string Question = string.Join(' ', Enumerable.Range(0, 30).Select(number => $"wörd{number} 😀"));

    [Fact]
    public async Task Types_CompileStrictly_WithWhatCallersWrite() =>
        await package.RunAsync(package.Installed("typescript", "bin", "tsc"), "-p", Path.Combine("test", "tsconfig.json"));

    [Fact]
    public async Task Core_IsAsSmall_AsItsReadmeSays()
    {
        var size = JsonSerializer.Deserialize<JsonElement>(await package.RunAsync(Path.Combine("tools", "size.js")));

        foreach (var part in new[] { "core", "onDemand" })
        {
            Assert.InRange(size.GetProperty("bytes").GetProperty(part).GetInt32(), 1, size.GetProperty("limits").GetProperty(part).GetInt32());
        }
    }

    [Fact]
    public async Task Connect_OverEventStreamsAndSockets_ThatBreakInTheMiddle_GetsTheWholeAnswer()
    {
        var script = Path.Combine(RepositoryFolder.Path, "tests", "OrleansSessions.EndToEndTests", "JavaScript", "connect.mjs");
        var output = JsonSerializer.Deserialize<JsonElement>(await package.RunAsync(script, package.Folder, server.Address.AbsoluteUri, Question));

        foreach (var transport in new[] { "events", "websocket" })
        {
            var result = output.GetProperty(transport);
            Assert.Equal(Question, result.GetProperty("text").GetString());
            Assert.Equal(Question, result.GetProperty("pieces").GetString());
            Assert.Equal("completed", result.GetProperty("status").GetString());
            Assert.InRange(result.GetProperty("texts").GetInt32(), 20, 60);
            Assert.Equal(["live", "reconnecting", "live", "stopped"], result.GetProperty("states").EnumerateArray().Select(state => state.GetString()));
            Assert.Equal(2, result.GetProperty("connections").GetInt32());
            Assert.Equal("session_busy", result.GetProperty("refused").GetString());
            Assert.Equal("cancelled", result.GetProperty("cancelled").GetString());
            Assert.Equal(["completed", "cancelled"], result.GetProperty("history").EnumerateArray().Select(status => status.GetString()));
        }
    }
}
