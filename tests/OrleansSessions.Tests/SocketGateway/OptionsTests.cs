using System.Net;
using System.Text;
using System.Text.Json;
using OrleansSessions.Responders;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>The options of a question on sockets and over HTTP, up to the responder, and what is said where it does not take them.</summary>
public sealed class OptionsTests(GatewayFixture gateway) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly string _session = GatewayFixture.NewSession();

    private string Questions => $"/v1/sessions/{_session}/questions";

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task OnAV1Socket_OptionsReachTheResponder()
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(Question("q-1", _session, """{"model":"small"}"""));

        Assert.Equal("""{"model":"small"}""", (await StartedAsync(_session)).OptionsJson);
        Assert.False((await socket.NextAsync("accepted")).TryGetProperty("options", out _));
    }

    [Fact]
    public async Task OverHttp_OptionsReachTheResponder()
    {
        using var reply = await PostAsync(Question("q-1", _session, """{"model":"small"}"""));

        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
        Assert.Equal("""{"model":"small"}""", (await StartedAsync(_session)).OptionsJson);
    }

    [Theory]
    [InlineData("""{"model":"small"}""", """{"model":"small"}""")]
    [InlineData("""["model"]""", null)]
    [InlineData("7", null)]
    public async Task OnABasicSocket_OptionsReachTheResponder_IfTheyAreAnObject(string options, string? taken)
    {
        var question = _session + options.Length;
        gateway.Cluster.Responder.For(question).Send("yes").Finish();
        await using var socket = await gateway.Host.ConnectBasicAsync(_session);
        await socket.SendAsync($$"""{"options":{{options}},"question":"{{question}}"}""");

        Assert.Equal("yes", (await socket.NextAsync("response")).GetProperty("data").GetString());
        Assert.Equal(taken, (await StartedAsync(question)).OptionsJson);
    }

    [Fact]
    public async Task OnAV1Socket_ARefusedOption_IsNamed_AndAReplaceEndsNothing()
    {
        var script = gateway.Cluster.Responder.For(_session);
        await using var socket = await OpenAsync();
        await socket.SendAsync(Question("q-1", _session));
        Assert.Equal(1, (await socket.NextAsync("accepted")).GetProperty("seq").GetInt64());

        await socket.SendAsync(Question("q-2", "other", """{"model":"small","temperature":9}""", "replace"));

        AssertRefusal(await socket.NextAsync("error"), "options.temperature", "'temperature' cannot be 9.", "q-2");
        script.Send("x").Finish();
        Assert.Equal("completed", (await socket.UntilAsync("done"))[^1].GetProperty("status").GetString());

        // The refused id was not used.
        await socket.SendAsync(Question("q-2", "other than other"));
        Assert.Equal(4, (await socket.NextAsync("accepted")).GetProperty("seq").GetInt64());
    }

    [Fact]
    public async Task ALongName_IsShortened_AsEveryTextOfAClient()
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(Question("q-1", _session, "{\"" + new string('n', 39) + "😀" + new string('n', 20_000) + "\":1}"));

        var error = await socket.NextAsync("error");

        Assert.Equal($"options.{new string('n', 39)}...", error.GetProperty("param").GetString());
        Assert.InRange(Encoding.UTF8.GetByteCount(error.GetProperty("message").GetString()!), 1, 1_024);
    }

    [Fact]
    public async Task OnABasicSocket_ARefusedOption_IsOneError_AndTheSocketGoesOn()
    {
        gateway.Cluster.Responder.For(_session).Send("yes").Finish();
        await using var socket = await gateway.Host.ConnectBasicAsync(_session);
        await socket.SendAsync(Question("q-1", _session, """{"model":7}"""));
        AssertRefusal(await socket.NextAsync("error"), "options.model", "'model' cannot be 7.", "q-1");

        await socket.SendAsync($$"""{"question":"{{_session}}","id":"q-1"}""");

        Assert.Equal("yes", (await socket.NextAsync("response")).GetProperty("data").GetString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/event-stream")]
    public async Task OverHttp_ARefusedOption_IsAProblem_AndTheSessionDoesNotExist(string? accept)
    {
        using var reply = await PostAsync(Question("q-1", _session, """{"temperature":9}"""), accept);

        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (reply.StatusCode, reply.Content.Headers.ContentType?.MediaType));
        var problem = JsonDocument.Parse(await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        AssertRefusal(problem, "options.temperature", problem.GetProperty("detail").GetString(), "q-1");
        Assert.Equal("'temperature' cannot be 9.", problem.GetProperty("detail").GetString());
        using var read = await gateway.Host.Http.GetAsync(new Uri($"/v1/sessions/{_session}", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);
    }

    [Fact]
    public async Task ARepeatedQuestion_IsADuplicate_WhateverItsOptions()
    {
        await using var socket = await OpenAsync();
        await socket.SendAsync(Question("q-1", _session, """{"model":"small"}"""));
        await socket.NextAsync("accepted");

        await socket.SendAsync(Question("q-1", _session, """{"temperature":9}"""));

        Assert.True((await socket.NextAsync("accepted")).GetProperty("duplicate").GetBoolean());
        Assert.Equal("""{"model":"small"}""", (await StartedAsync(_session)).OptionsJson);
    }

    [Fact]
    public async Task AResponderThatThrows_IsInternal()
    {
        using var reply = await PostAsync(Question("q-1", _session, """{"broken":1}"""));
        Assert.Equal(HttpStatusCode.InternalServerError, reply.StatusCode);
        await using var socket = await OpenAsync();
        await socket.SendAsync(Question("q-1", _session, """{"broken":1}"""));

        var error = await socket.NextAsync("error");

        Assert.Equal(("internal", "q-1"), (error.GetProperty("code").GetString(), error.GetProperty("question_id").GetString()));
        Assert.Equal(1011, await socket.ClosedAsync());
    }

    [Fact]
    public async Task AClientThatKeepsSendingBadOptions_IsClosed_AndOneThatMendsThem_IsNot()
    {
        await using var host = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, options => options.MaxBadRequests = 2);
        await using var socket = await host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        foreach (var (id, options) in new[] { ("q-1", """{"x":1}"""), ("q-2", null), ("q-3", """{"x":1}"""), ("q-4", """{"x":1}""") })
        {
            await socket.SendAsync(Question(id, _session, options));
            await socket.NextAsync(options is null ? "accepted" : "error");
        }

        Assert.Equal(4100, await socket.ClosedAsync());
    }

    private static void AssertRefusal(JsonElement error, string param, string? message, string questionId) => Assert.Equal(
        ("bad_request", param, message, questionId, false),
        (
            error.GetProperty("code").GetString(), error.GetProperty("param").GetString(),
            error.TryGetProperty("message", out var text) ? text.GetString() : message, error.GetProperty("question_id").GetString(),
            error.GetProperty("retryable").GetBoolean()));

    private static string Question(string id, string text, string? options = null, string ifBusy = "reject") =>
        $$"""{"id":"{{id}}","options":{{options ?? "null"}},"question":"{{text}}","if_busy":"{{ifBusy}}"}""";

    private async Task<TestSocket> OpenAsync()
    {
        var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        return socket;
    }

    private Task<ResponderContext> StartedAsync(string question) => gateway.Cluster.Responder.For(question).Started.WaitAsync(Patience);

    private async Task<HttpResponseMessage> PostAsync(string body, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Questions) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        return await gateway.Host.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
