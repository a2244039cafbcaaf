using System.Text.Json;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.EventStreams;

/// <summary>Event streams as a person sees them in a terminal: <c>curl -N</c>.</summary>
public sealed class CurlTests(EchoServerFixture server) : IClassFixture<EchoServerFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _session = Names.Session("curl");

    private string Base => $"{server.Server.Address}v1/sessions/{_session}";

    [Fact]
    public async Task Follow_PrintsEachEventAsItComes_AndGoesOnFromTheLastId()
    {
        await using var follower = Curl($"{Base}/events");
        await follower.UntilAsync(() => Task.FromResult(follower.Output.Contains("\"type\":\"hello\"", StringComparison.Ordinal)), "it prints hello", Patience);
        await server.Http.AskAsync(_session, """{"id":"q-1","question":"one two three"}""");
        await follower.UntilAsync(() => Task.FromResult(follower.Output.Contains("\"type\":\"done\"", StringComparison.Ordinal)), "it prints done", Patience);
        Assert.False(follower.HasExited);

        var ids = follower.Output.Split('\n').Where(line => line.StartsWith("id: ", StringComparison.Ordinal)).ToList();
        Assert.Equal(ids.Order(NumberOf.Instance), ids);
        follower.Kill();
        await using var resumed = Curl("-H", $"Last-Event-ID: {ids[1][4..]}", $"{Base}/events");
        await resumed.UntilAsync(() => Task.FromResult(resumed.Output.Contains("\"type\":\"resumed\"", StringComparison.Ordinal)), "it prints resumed", Patience);

        // Waiting deltas are joined into one event, so a replay can have fewer events. It starts after the id and ends at the same position.
        var replayed = resumed.Output.Split('\n').Where(line => line.StartsWith("id: ", StringComparison.Ordinal)).ToList();
        Assert.True(NumberOf.Instance.Compare(replayed[0], ids[1]) > 0, $"{replayed[0]} comes after {ids[1]}.");
        Assert.Equal(ids[^1], replayed[^1]);
    }

    [Fact]
    public async Task Ask_StreamsTheAnswer_AndEnds()
    {
        await using var curl = Curl(
            "-H", "Content-Type: application/json", "-H", "Accept: text/event-stream", "-d", """{"question":"one two"}""", $"{Base}/questions");

        Assert.Equal(0, await curl.ExitAsync(Patience));
        // A busy server joins deltas, so only the joined text is known.
        var frames = curl.Output.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal))
            .Select(line => JsonSerializer.Deserialize<JsonElement>(line[6..])).ToList();
        Assert.Equal("one two", string.Concat(frames.Where(frame => frame.Type() == "delta").Select(frame => frame.Text("text"))));
        Assert.Equal("done", frames[^1].Type());
    }

    private static ChildProcess Curl(params string[] arguments)
    {
        return ChildProcess.Start("curl", RequiredProgram.Find(OperatingSystem.IsWindows() ? "curl.exe" : "curl"), ["-sN", "--max-time", "60", .. arguments]);
    }

    private sealed class NumberOf : IComparer<string>
    {
        public static NumberOf Instance { get; } = new();

        public int Compare(string? x, string? y) => Of(x!).CompareTo(Of(y!));

        private static long Of(string id) => long.Parse(id[(id.LastIndexOf('.') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
