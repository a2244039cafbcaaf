using System.Net.Http.Json;
using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>An upstream that says how long it will refuse questions: each way to read an answer's end has that time.</summary>
public sealed class RetryAfterTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _session = GatewayFixture.NewSession();

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task AnOverloadedUpstream_IsKnownInDone_InTheSnapshotOfItsEnd_AndOverHttp()
    {
        Overload(TimeSpan.FromSeconds(20));
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        var ask = $$"""{"question":"{{_session}}","id":"q-1"}""";
        await socket.SendAsync(ask);
        await socket.NextAsync("accepted");
        AssertAdvice(20_000, await socket.NextAsync("done"));

        await socket.SendAsync(ask);
        await socket.NextAsync("accepted");
        AssertAdvice(20_000, await socket.NextAsync("snapshot"));
        AssertAdvice(20_000, await socket.NextAsync("done"));
        AssertAdvice(20_000, await gateway.Host.Http.GetFromJsonAsync<JsonElement>(QuestionAddress));
    }

    [Fact]
    public async Task AnOverloadedUpstream_IsKnownInTheFailureOfABasicSocket()
    {
        Overload(TimeSpan.FromSeconds(20));
        await using var socket = await gateway.Host.ConnectBasicAsync(_session);
        await socket.SendAsync($$"""{"question":"{{_session}}"}""");

        AssertAdvice(20_000, await socket.NextAsync("error"));
    }

    [Fact]
    public async Task WithoutAnAdvice_TheFieldIsAbsent()
    {
        Overload(null);
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await socket.SendAsync($$"""{"question":"{{_session}}","id":"q-1"}""");
        await socket.NextAsync("accepted");

        AssertAdvice(null, await socket.NextAsync("done"));
        AssertAdvice(null, await gateway.Host.Http.GetFromJsonAsync<JsonElement>(QuestionAddress));
    }

    private Uri QuestionAddress => new($"/v1/sessions/{_session}/questions/q-1", UriKind.Relative);

    private void Overload(TimeSpan? retryAfter) => gateway.Cluster.Responder.For(_session)
        .Fail(new ResponderException(DoneReasons.ResponderUnavailable, "Full.", isRetryable: true) { RetryAfter = retryAfter });

    private static void AssertAdvice(long? expected, JsonElement end)
    {
        Assert.Equal("failed", end.GetProperty("status").GetString());
        Assert.Equal(expected, end.TryGetProperty("retry_after_ms", out var advice) ? advice.GetInt64() : null);
    }
}
