using System.Text.Json;
using OrleansSessions.EndToEndTests.Upstream;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.JavaScript;

/// <summary>The parts of the package <c>orleans-sessions</c> that need other packages: the hook for React, and the transport for chats of the AI SDK.</summary>
public sealed class ChatTransportTests(UpstreamFixture fixture, JavaScriptPackage package) : IClassFixture<UpstreamFixture>, IClassFixture<JavaScriptPackage>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Types_CompileStrictly_WithWhatChatsWrite() =>
        await package.RunAsync(package.Installed("typescript", "bin", "tsc"), "-p", Path.Combine("test", "ai.tsconfig.json"));

    [Fact]
    public async Task HookOnAServer_AndChatOfTheAiSdk_PassTheirTests()
    {
        var output = await package.RunAsync("--test", Path.Combine("test", "react.test.js"), Path.Combine("test", "chat.test.js"));

        Assert.Contains("# skipped 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChatOfTheAiSdk_GoesOnAfterAReload_AndItsStopReachesTheModel()
    {
        var script = Path.Combine(RepositoryFolder.Path, "tests", "OrleansSessions.EndToEndTests", "JavaScript", "chat.mjs");
        await using var chat = ChildProcess.Start(
            "chat.mjs", NpmInstallation.Node!, [script, package.Folder, fixture.Server.Address.AbsoluteUri]);

        var hi = await NextAsync(chat);
        await hi.SendAsync("one");
        await UntilAsync(chat, "loaded");
        await hi.SendAsync(" two");
        await UntilAsync(chat, "shown: one two");
        await hi.FinishAsync();

        var stopped = await NextAsync(chat);
        await stopped.SendAsync("a");
        await UntilAsync(chat, "shown: a");
        await stopped.ClosedByClient.WaitAsync(Patience, TimeProvider.System, Token);

        await (await NextAsync(chat)).AnswerAsync("fine");
        Assert.True(await chat.ExitAsync(Patience) == 0, chat.Output);

        var line = chat.Output.Split('\n').Single(line => line.StartsWith("result: ", StringComparison.Ordinal));
        var result = JsonSerializer.Deserialize<JsonElement>(line["result: ".Length..]);
        Assert.Equal(["stopped"], Strings(result.GetProperty("failed")));
        Assert.Equal(["hi", "one"], Strings(result.GetProperty("loaded")));
        Assert.Equal(["hi", "one two", "stop", "a", "next", "fine"], result.GetProperty("live").EnumerateArray().Select(message => message[1].GetString()));
        Assert.Equal(result.GetProperty("live").GetRawText(), result.GetProperty("history").GetRawText());
        Assert.Equal("ready", result.GetProperty("status").GetString());
        Assert.Empty(result.GetProperty("errors").EnumerateArray());
    }

    private static Task UntilAsync(ChildProcess chat, string line) =>
        chat.UntilAsync(() => Task.FromResult(chat.Output.Split('\n').Contains(line)), $"it prints '{line}'", Patience);

    private async Task<FakeOpenAIExchange> NextAsync(ChildProcess chat)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        try
        {
            return await fixture.Upstream.NextAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!Token.IsCancellationRequested)
        {
            throw new TimeoutException($"The model was not asked within {Patience}. The chat printed:\n{chat.Output}");
        }
    }

    private static IEnumerable<string?> Strings(JsonElement array) => array.EnumerateArray().Select(item => item.GetString());
}
