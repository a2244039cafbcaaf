using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Client;
using OrleansSessions.Client.ChatClient;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Client.ChatClients;

/// <summary>Servers that do not answer, or not yet.</summary>
public sealed class AbsentServerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _frames = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BackgroundQuestion_ThatIsNotAcceptedInTime_IsCancelled()
    {
        await using var host = await ScriptedHost.StartAsync((context, _) => ScriptedHost.ServeAsync(context, (socket, frame) =>
        {
            _frames.Enqueue(frame);
            return frame.Contains("\"cancel\"", StringComparison.Ordinal)
                ? ScriptedHost.SendAsync(socket, """{"type":"cancelling","question_id":"mine"}""") : Task.CompletedTask;
        }));
        await using var client = new SessionChatClient(host.Address, options: new() { TimeProvider = _time });
        var options = new ChatOptions { AllowBackgroundResponses = true, RawRepresentationFactory = _ => new AskOptions { Id = "mine" } };
        var call = client.GetResponseAsync("Why?", options, Token);
        await Eventually.TrueAsync(() => !_frames.IsEmpty, "the question arrives");

        _time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal("not_accepted", (await Assert.ThrowsAsync<SessionException>(() => call)).Code);
        Assert.Equal("""{"type":"cancel","question_id":"mine"}""", _frames.Last());
    }

    [Fact]
    public async Task ServerThatCannotAnswerNow_IsTheCauseOfAQuestionThatIsNotAccepted()
    {
        await using var host = await ScriptedHost.StartAsync((context, _) =>
        {
            context.Response.StatusCode = 503;
            return context.Response.WriteAsync("""{"code":"draining","detail":"Later.","retryable":true,"retry_after_ms":1}""", Token);
        });
        await using var client = new SessionChatClient(host.Address, options: new() { TimeProvider = _time });
        var call = client.GetResponseAsync("Why?", cancellationToken: Token);
        await Eventually.TrueAsync(() => host.Requests.Count > 1, "the client has been refused, and tries again");

        _time.Advance(TimeSpan.FromSeconds(30));

        var failure = await Assert.ThrowsAsync<SessionException>(() => call);
        Assert.Equal(("not_accepted", "draining"), (failure.Code, (failure.InnerException as SessionRefusedException)?.Code));
        Assert.EndsWith(" Later.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LookAtABackgroundResponse_WhileTheServerIsAway_IsASessionException()
    {
        await using var host = await ScriptedHost.StartAsync((context, number) =>
        {
            if (number > 0)
            {
                context.Abort();
                return Task.CompletedTask;
            }

            return ScriptedHost.ServeAsync(context, (socket, _) =>
                ScriptedHost.SendAsync(socket, """{"type":"accepted","seq":1,"question_id":"mine","position":0}"""));
        });
        await using var client = new SessionChatClient(host.Address, options: new() { TimeProvider = _time });
        var options = new ChatOptions { AllowBackgroundResponses = true, RawRepresentationFactory = _ => new AskOptions { Id = "mine" } };
        options.ContinuationToken = (await client.GetResponseAsync("Why?", options, Token)).ContinuationToken;

        var failure = await Assert.ThrowsAsync<SessionException>(() => client.GetResponseAsync([], options, Token));

        Assert.Equal("not_reached", failure.Code);
        Assert.IsType<HttpRequestException>(failure.InnerException);
    }

    [Fact]
    public async Task CallerThatLeaves_WaitsForTheCancel_AlsoIfUnusedConnectionsAreNotKept()
    {
        var cancelling = new TaskCompletionSource();
        var mayAnswer = new TaskCompletionSource();
        await using var host = await ScriptedHost.StartAsync((context, _) => ScriptedHost.ServeAsync(context, async (socket, frame) =>
        {
            if (frame.Contains("\"question\"", StringComparison.Ordinal))
            {
                await ScriptedHost.SendAsync(socket, """{"type":"accepted","seq":1,"question_id":"mine","position":0}""");
            }
            else
            {
                cancelling.SetResult();
                await mayAnswer.Task;
                await ScriptedHost.SendAsync(socket, """{"type":"cancelling","question_id":"mine"}""");
            }
        }));
        await using var client = new SessionChatClient(host.Address, options: new() { TimeProvider = _time, IdleTimeout = TimeSpan.Zero });
        var updates = client.GetStreamingResponseAsync("Why?", new() { RawRepresentationFactory = _ => new AskOptions { Id = "mine" } }, Token)
            .GetAsyncEnumerator(Token);
        Assert.True(await updates.MoveNextAsync());

        var leaving = updates.DisposeAsync().AsTask();
        await cancelling.Task.WaitAsync(TimeSpan.FromSeconds(15), Token);
        Assert.False(leaving.IsCompleted, "The server has not taken the cancel.");
        mayAnswer.SetResult();

        await leaving.WaitAsync(TimeSpan.FromSeconds(15), Token);
    }
}
