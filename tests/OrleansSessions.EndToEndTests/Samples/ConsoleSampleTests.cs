using System.Diagnostics;
using System.Globalization;
using System.Net;
using OrleansSessions.Chaos.Proxies;
using OrleansSessions.EndToEndTests.Clients;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary><c>samples/Console</c>, as somebody uses it who types, presses Ctrl+C, and loses the connection.</summary>
public sealed class ConsoleSampleTests(QuickReturnFixture server) : IClassFixture<QuickReturnFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string Long = string.Join(' ', Enumerable.Range(0, 200).Select(number => $"word{number}"));

    [Fact]
    public async Task Chat_Answers_CancelsWithControlC_AndComesBackByItself()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Ctrl+C is sent as a signal, and env of Linux lets it through.");
        var session = Names.Session();
        await using var proxy = new FaultProxy(readsNames: false) { Target = server.Server.Address.Port };
        await using var chat = Start($"http://127.0.0.1:{proxy.Port}", session);

        await chat.WriteLineAsync(Long);
        await ServerHasAsync(session, "word3 ");
        foreach (var link in proxy.Links)
        {
            link.Reset();
        }

        await PrintsAsync(chat, "[Reconnecting: ");
        await ServerHasAsync(session, "word20 ");
        using (var interrupt = Process.Start("kill", ["-INT", chat.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await interrupt.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await PrintsAsync(chat, "[cancelled: ");
        await chat.WriteLineAsync("Still there?");
        await PrintsAsync(chat, "Still there?");

        Assert.True(chat.Output.Contains(Long[..100], StringComparison.Ordinal), chat.Output);
        Assert.DoesNotContain("word199", chat.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_WithASessionIdThatIsNone_SaysSo()
    {
        await using var chat = Start(server.Server.Address.AbsoluteUri, "no spaces");

        Assert.Equal(2, await chat.ExitAsync(Patience));
        Assert.Contains("'no spaces' is not a session id", chat.Output, StringComparison.Ordinal);
    }

    private Task ServerHasAsync(string session, string text) => Eventually.TrueAsync(
        async () => await AnswerAsync(session) is { } answer && answer.Contains(text, StringComparison.Ordinal), $"the answer has '{text}'");

    private async Task<string?> AnswerAsync(string session)
    {
        var history = await server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions");
        return history.Status == HttpStatusCode.OK ? history.Body.GetProperty("questions").EnumerateArray().Select(one => one.Text("text")).FirstOrDefault() : null;
    }

    private static Task PrintsAsync(ChildProcess chat, string text) =>
        chat.UntilAsync(() => Task.FromResult(chat.Output.Contains(text, StringComparison.Ordinal)), $"it prints '{text}'", Patience);

    private static ChildProcess Start(params string[] arguments)
    {
        var built = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(RepositoryFolder.Path, "samples", "Console", "bin", built.Parent!.Name, built.Name, "ConsoleChat.dll");
        // A process that was started in the background of a shell ignores Ctrl+C, and so do its children, unless they are told otherwise.
        return OperatingSystem.IsLinux()
            ? ChildProcess.Start("samples/Console", "env", ["--default-signal=INT", ChildProcess.DotnetPath, program, .. arguments])
            : ChildProcess.Start("samples/Console", ChildProcess.DotnetPath, [program, .. arguments]);
    }
}
