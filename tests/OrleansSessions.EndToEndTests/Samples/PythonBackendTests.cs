using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Samples;

/// <summary>The back end in Python, started with the line of its page against a server that answers nothing by itself.</summary>
public sealed class PythonBackendTests(ExternalServerFixture server) : IClassFixture<ExternalServerFixture>
{
    private const string Line = "python3 samples/python-backend/backend.py http://localhost:5080 demo";
    private static readonly string Long = string.Join(' ', Enumerable.Range(1, 60));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _session = Names.Session();

    [Theory]
    [InlineData("README.md")]
    [InlineData("samples/python-backend/README.md")]
    [InlineData("samples/python-backend/backend.py")]
    public async Task Document_StartsItWithTheLineThatIsTested(string document) => Assert.Contains(
        Line, await File.ReadAllTextAsync(Path.Combine(RepositoryFolder.Path, document), TestContext.Current.CancellationToken), StringComparison.Ordinal);

    [Fact]
    public async Task Backend_AnswersWhatIsAsked_PieceByPiece()
    {
        await using var backend = await StartAsync();
        await using var socket = await server.OpenAsync(_session);

        await socket.AskAsync("Who are you?", "q-1");
        await socket.ExpectAsync("accepted");

        var first = (await socket.ExpectAsync("delta")).Text("text")!;
        Assert.Equal("completed", (await socket.UntilAsync("done")).Text("status"));
        var answer = await server.Server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}/questions/q-1");
        Assert.Equal("You asked: Who are you? ", answer.Body.Text("text"));
        Assert.True(first.Length < "You asked: Who are you? ".Length, "The answer came whole, not word by word.");
    }

    [Fact]
    public async Task Backend_StopsWhenTheUserDoes_AndTakesTheNextQuestion()
    {
        await using var backend = await StartAsync();
        await using var socket = await server.OpenAsync(_session);
        await socket.AskAsync(Long, "q-1");
        await socket.UntilAsync("delta");

        await socket.CancelAsync();

        Assert.Equal(("cancelled", DoneReasons.ByClient), Ending(await socket.UntilAsync("done")));
        await backend.UntilAsync(
            () => Task.FromResult(backend.Output.Contains("q-1 is over: already_done", StringComparison.Ordinal)), "it has noticed the cancel", Patience);
        await socket.AskAsync("And now?", "q-2");
        Assert.Equal("completed", (await socket.UntilAsync("done", "q-2")).Text("status"));
    }

    [Fact]
    public async Task Backend_ThatIsStartedAgainInMidAnswer_EndsTheQuestion()
    {
        await using var socket = await server.OpenAsync(_session);
        await using (await StartAsync())
        {
            await socket.AskAsync(Long, "q-1");
            await socket.UntilAsync("delta");
        }

        await using var again = await StartAsync();

        Assert.Equal(("failed", DoneReasons.ResponderError), Ending(await socket.UntilAsync("done")));
    }

    private static (string? Status, string? Reason) Ending(System.Text.Json.JsonElement done) => (done.Text("status"), done.Text("reason"));

    private async Task<ChildProcess> StartAsync()
    {
        PythonClient.SkipIfAbsent();
        var arguments = Line.Replace("http://localhost:5080", server.Server.Address.AbsoluteUri, StringComparison.Ordinal)
            .Replace(" demo", " " + _session, StringComparison.Ordinal).Split(' ');
        var backend = ChildProcess.Start("backend.py", arguments[0], arguments[1..], folder: RepositoryFolder.Path);
        await backend.UntilAsync(() => Task.FromResult(backend.Output.Contains("answering", StringComparison.Ordinal)), "it runs", Patience);
        return backend;
    }
}
