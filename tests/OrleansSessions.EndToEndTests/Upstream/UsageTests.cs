using System.Globalization;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>The tokens that answers have used, as an operator sees them.</summary>
[Collection(typeof(PatientModelServerUsers))]
public sealed class UsageTests(PatientModelServer server)
{
    [Fact]
    public async Task Usage_OfAnAnswer_IsCountedByModelAndType()
    {
        await using var socket = await server.AskAsync("""{"type":"question","question":"What does it cost?","options":{"model":"metered"}}""");
        var exchange = await server.NextAsync();
        Assert.True(exchange.Json.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());

        await exchange.StartAsync();
        await exchange.SendTextAsync("Some tokens.");
        await exchange.FinishAsync(usage: Usage(input: 31, output: 17, cached: 8, reasoning: 5));

        Assert.Equal("completed", (await socket.UntilAsync("done")).Text("status"));
        await AssertTokensAsync("metered", ("input", 31), ("output", 17), ("cached_input", 8), ("reasoning", 5));
    }

    [Fact]
    public async Task Usage_OfACancelledAnswer_IsThatOfTheLastChunkBeforeIt()
    {
        await using var socket = await server.AskAsync("""{"type":"question","question":"Count on.","options":{"model":"metered-and-cancelled"}}""");
        var exchange = await server.NextAsync();
        await exchange.StartAsync();
        await exchange.SendTextAsync("one ", Usage(input: 9, output: 1, cached: 0, reasoning: 0));
        await socket.UntilAsync("delta");
        await exchange.SendTextAsync("two ", Usage(input: 9, output: 2, cached: 0, reasoning: 0));
        await socket.UntilAsync("delta");

        await socket.CancelAsync();

        Assert.Equal("cancelled", (await socket.UntilAsync("done")).Text("status"));
        await ModelServer.UntilClosedAsync(exchange);
        await AssertTokensAsync("metered-and-cancelled", ("input", 9), ("output", 2));
    }

    private static string Usage(int input, int output, int cached, int reasoning) =>
        $$$"""{"prompt_tokens":{{{input}}},"completion_tokens":{{{output}}},"total_tokens":{{{input + output}}},"prompt_tokens_details":{"cached_tokens":{{{cached}}}},"completion_tokens_details":{"reasoning_tokens":{{{reasoning}}}}}""";

    private async Task AssertTokensAsync(string model, params (string Type, long Count)[] expected)
    {
        // The exporter returns the same page for 300 ms, so a page from just before the end can be returned once more.
        var seen = "";
        foreach (var (type, count) in expected)
        {
            await Eventually.TrueAsync(
                async () => CountIn(seen = await server.Server.Http.GetStringAsync("/metrics"), model, type) is not null, $"/metrics has the {type} tokens of {model}");
            Assert.Equal((type, count), (type, CountIn(seen, model, type)));
        }
    }

    private static long? CountIn(string metrics, string model, string type) =>
        metrics.Split('\n').SingleOrDefault(line => line.StartsWith("sessions_tokens_total{", StringComparison.Ordinal)
            && line.Contains($"model=\"{model}\"", StringComparison.Ordinal) && line.Contains($"type=\"{type}\"", StringComparison.Ordinal)) is { } line
            ? (long)double.Parse(line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture)
            : null;
}
