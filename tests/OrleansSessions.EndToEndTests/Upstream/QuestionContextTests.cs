using System.Text.Json;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>What the upstream learns about a question besides its text, and what a question can choose.</summary>
[Collection(typeof(PatientModelServerUsers))]
public sealed class QuestionContextTests(PatientModelServer server)
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string TraceParent = $"00-{TraceId}-00f067aa0ba902b7-01";

    /// <summary>How a question is asked.</summary>
    public enum Way
    {
        Socket,
        BasicSocket,
        Http,
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.BasicSocket)]
    [InlineData(Way.Http)]
    public async Task Trace_OfTheRequest_GoesOnAtTheUpstream_WithTheNamesOfTheQuestion(Way way)
    {
        var session = Names.Session();

        await using var asker = await AskAsync(way, session, """{"type":"question","question":"Who asks?","id":"q-1"}""");

        var exchange = await server.NextAsync();
        var parts = exchange.Headers["traceparent"].Split('-');
        Assert.Equal(("00", TraceId, 4), (parts[0], parts[1], parts.Length));
        Assert.Equal((session, "q-1", "1"), (exchange.Headers["X-Session-Id"], exchange.Headers["X-Question-Id"], exchange.Headers["X-Attempt"]));
        Assert.NotEmpty(exchange.Headers["Idempotency-Key"]);
        await exchange.AnswerAsync("You.");
        await asker.UntilCompletedAsync();
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.BasicSocket)]
    [InlineData(Way.Http)]
    public async Task Metadata_OfTheClient_IsSentWithTheServersOwn_WhichWins(Way way)
    {
        var session = Names.Session();

        await using var asker = await AskAsync(
            way, session, """{"type":"question","question":"Who asks?","id":"q-1","metadata":{"lang":"en","deep":{"a":[1]},"session_id":"another"}}""");

        var exchange = await server.NextAsync();
        Assert.Equal(session, exchange.Json.Text("user"));
        var expected = $$"""{"lang":"en","deep":{"a":[1]},"session_id":"{{session}}","question_id":"q-1","attempt":"1"}""";
        Assert.True(
            JsonElement.DeepEquals(JsonSerializer.Deserialize<JsonElement>(expected), exchange.Json.GetProperty("metadata")),
            $"Expected {expected}, got {exchange.Json}");
        await exchange.AnswerAsync("You.");
        await asker.UntilCompletedAsync();
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.BasicSocket)]
    [InlineData(Way.Http)]
    public async Task Options_ThatAreAllowed_ChooseModelTemperatureAndSystemPrompt(Way way)
    {
        await using var asker = await AskAsync(
            way, Names.Session(),
            """{"type":"question","question":"Who asks?","id":"q-1","options":{"model":"small","temperature":0.25,"system_prompt":"pirate"}}""");

        var exchange = await server.NextAsync();
        Assert.Equal(("small", 0.25), (exchange.Json.Text("model"), exchange.Json.GetProperty("temperature").GetDouble()));
        Assert.Equal([("system", "Talk like a pirate."), ("user", "Who asks?")], exchange.Messages());
        await exchange.AnswerAsync("Ye do.");
        await asker.UntilCompletedAsync();
    }

    [Fact]
    public async Task Question_WithoutOptions_HasWhatIsConfigured()
    {
        await using var asker = await AskAsync(Way.Socket, Names.Session(), """{"type":"question","question":"Who asks?","options":{}}""");

        var exchange = await server.NextAsync();
        Assert.Equal("plain", exchange.Json.Text("model"));
        Assert.False(exchange.Json.TryGetProperty("temperature", out _));
        Assert.Equal([("system", "Be brief."), ("user", "Who asks?")], exchange.Messages());
        await exchange.AnswerAsync("You.");
        await asker.UntilCompletedAsync();
    }

    [Theory]
    [InlineData(Way.Socket, """{"model":"huge"}""", "options.model")]
    [InlineData(Way.BasicSocket, """{"model":"huge"}""", "options.model")]
    [InlineData(Way.Http, """{"model":"huge"}""", "options.model")]
    [InlineData(Way.Socket, """{"temperature":1.5}""", "options.temperature")]
    [InlineData(Way.Http, """{"model":"small","system_prompt":"parrot"}""", "options.system_prompt")]
    public async Task Option_ThatIsNotAllowed_IsRefused_AndTheUpstreamIsNotAsked(Way way, string options, string param)
    {
        var session = Names.Session();
        var asked = server.Upstream.RequestsReceived;
        var question = $$"""{"type":"question","question":"Who asks?","id":"q-1","options":{{options}}}""";

        if (way == Way.Http)
        {
            var answer = await server.Server.Http.AskAsync(session, question);
            Assert.Equal(param, answer.IsError(WireErrors.BadRequest, "q-1").Text("param"));
        }
        else
        {
            await using var asker = await AskAsync(way, session, question);
            var error = await asker.Socket!.ExpectErrorAsync(WireErrors.BadRequest);
            Assert.Equal((param, "q-1", false), (error.Text("param"), error.Text("question_id"), error.Flag("retryable")));
        }

        // The next question is the next that the upstream gets, and it is the first of its session.
        await using var next = await AskAsync(Way.Socket, session, """{"type":"question","question":"And now?","id":"q-2"}""");
        var exchange = await server.NextAsync();
        Assert.Equal([("system", "Be brief."), ("user", "And now?")], exchange.Messages());
        Assert.Equal(asked + 1, server.Upstream.RequestsReceived);
        await exchange.AnswerAsync("Now.");
        await next.UntilCompletedAsync();
    }

    private async Task<Asker> AskAsync(Way way, string session, string frame)
    {
        if (way == Way.Http)
        {
            return new(null, server.Server.Http.AskAsync(session, frame, ("Prefer", "wait=15"), ("traceparent", TraceParent)));
        }

        if (way == Way.Socket)
        {
            return new(await server.AskAsync(frame, session, ("traceparent", TraceParent)), null);
        }

        var socket = await CheckedSocket.ConnectAsync(
            server.Server.Socket(session), WireProfile.Basic, options => options.SetRequestHeader("traceparent", TraceParent));
        await socket.SendAsync(frame);
        return new(socket, null);
    }

    /// <summary>Who waits for the end of a question.</summary>
    private sealed record Asker(CheckedSocket? Socket, Task<HttpAnswer>? Request) : IAsyncDisposable
    {
        public async Task UntilCompletedAsync()
        {
            var end = Socket is null ? (await Request!).Body : await Socket.UntilAsync(Socket.Profile == WireProfile.V1 ? "done" : "response");
            Assert.Equal("completed", end.Text("status"));
        }

        public async ValueTask DisposeAsync()
        {
            if (Socket is not null)
            {
                await Socket.DisposeAsync();
            }
        }
    }
}
