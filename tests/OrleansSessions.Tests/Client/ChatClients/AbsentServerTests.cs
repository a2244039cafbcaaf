using System.Collections.Concurrent;
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
}
