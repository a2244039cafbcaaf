using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Sockets;

/// <summary>The clients of the Python session manager work without changes.</summary>
public sealed class BasicProfileTests(ExternalServerFixture server) : IClassFixture<ExternalServerFixture>
{
    [Fact]
    public async Task Ask_WhileOneWaits_IsRefusedInTheManagersExactWords()
    {
        var session = Names.Session();
        await using var socket = await server.OpenBasicAsync(session);
        await socket.AskAsync("first", "q-1");
        await IsOpenAsync(session);

        await socket.AskAsync("second", "q-2");
        var busy = await socket.ExpectErrorAsync(WireErrors.SessionBusy);
        Assert.Equal("Please wait for the previous response", busy.Text("message"));
        Assert.Equal("q-2", busy.Text("question_id"));

        var delivered = await server.Http.RespondAsync(session, "done");
        Assert.True(delivered.Body.Flag("delivered"));
        Assert.Equal(("done", "q-1"), Of(await socket.ExpectAsync("response")));
        Assert.Equal(2, socket.Frames.Count);
    }

    [Fact]
    public async Task Options_ThatNoOneTakes_AreRefused_AndOtherTypesAreIgnored()
    {
        var session = Names.Session();
        await using var socket = await server.OpenBasicAsync(session);
        await socket.SendRawAsync("""{"question":"a","id":"q-1","options":{"model":"m"}}"""u8.ToArray());
        Assert.Equal("options.model", (await socket.ExpectErrorAsync(WireErrors.BadRequest)).Text("param"));

        await socket.SendRawAsync("""{"question":"a","id":"q-1","options":"fast"}"""u8.ToArray());
        await IsOpenAsync(session);
        await server.Http.RespondAsync(session, "done");

        Assert.Equal(("done", "q-1"), Of(await socket.ExpectAsync("response")));
    }

    [Fact]
    public async Task Response_ToAnotherSocketsQuestion_IsNotSent()
    {
        var session = Names.Session();
        await using var asking = await server.OpenBasicAsync(session);
        await using var other = await server.OpenBasicAsync(session);
        await asking.AskAsync("mine", "q-1");
        await IsOpenAsync(session);
        await server.Http.RespondAsync(session, "yours");
        await asking.ExpectAsync("response");

        // Anything that the other socket received before would be in front of the answer to its own question.
        await other.AskAsync("another", "q-2");
        await IsOpenAsync(session);
        await server.Http.RespondAsync(session, "ours");
        Assert.Equal(("ours", "q-2"), Of(await other.NextAsync()));
    }

    [Fact]
    public async Task Cancel_EndsTheQuestionWithOneErrorFrame()
    {
        var session = Names.Session();
        await using var socket = await server.OpenBasicAsync(session);
        await socket.AskAsync("never answered", "q-1");
        await IsOpenAsync(session);

        await socket.CancelAsync();

        var frame = await socket.ExpectAsync("error");
        Assert.Equal(("cancelled", DoneReasons.ByClient, "q-1"), (frame.Text("status"), frame.Text("code"), frame.Text("question_id")));
    }

    [Fact]
    public async Task Ask_AfterTheAskingSocketLeft_ReplacesTheOrphan()
    {
        var session = Names.Session();
        var first = await server.OpenBasicAsync(session);
        await first.SendAsync("""{"question":"left alone"}""");
        await IsOpenAsync(session);
        await first.CloseAsync();
        await first.DisposeAsync();
        await using var second = await server.OpenBasicAsync(session);
        await Eventually.TrueAsync(
            async () => (await server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}")).Body.Number("connections") == 1,
            $"{session} knows that the first socket is gone");

        await second.AskAsync("asked again", "q-2");
        await Eventually.TrueAsync(
            async () => (await server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}")).Body.GetProperty("open").EnumerateArray()
                .Select(open => open.Text("question_id")).SequenceEqual(["q-2"]),
            $"q-2 is the open question of {session}");
        await server.Http.RespondAsync(session, "yes");
        Assert.Equal(("yes", "q-2"), Of(await second.ExpectAsync("response")));
    }

    private static (string? Data, string? Id) Of(System.Text.Json.JsonElement frame) => (frame.Text("data"), frame.Text("question_id"));

    /// <summary>Waits until a question is open. A basic socket receives nothing when its question is accepted.</summary>
    private Task IsOpenAsync(string session) => Eventually.TrueAsync(
        async () => (await server.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}")).Body is { ValueKind: System.Text.Json.JsonValueKind.Object } body
            && body.TryGetProperty("open", out var open) && open.GetArrayLength() == 1,
        $"{session} has an open question");
}
