using System.Net.WebSockets;
using System.Text.Json;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Sockets;
using Websocket.Client;
using Xunit;

namespace OrleansSessions.EndToEndTests.Sockets;

/// <summary>The first steps of a new user, with a server in its default configuration.</summary>
public sealed class FirstQuestionTests(EchoServerFixture server) : IClassFixture<EchoServerFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Ask_OnV1_StreamsTheAnswerAndProvesItWhole()
    {
        await using var client = server.Client(Names.Session());
        await client.ConnectAsync();

        var question = await client.AskAsync("What is a silo, grüß dich 😀?");
        await client.PumpUntilDoneAsync(question);

        Assert.Equal("What is a silo, grüß dich 😀?", question.Answer.ToString());
        Assert.Equal("completed", question.Status);
        Assert.True(question.NextDelta > 1, "The answer came in one piece.");
        Assert.Equal(question.NextDelta + 2, client.Last);
    }

    [Fact]
    public async Task Hello_SaysWhoAnswersAndWhatIsAllowed()
    {
        var session = Names.Session();
        await using var socket = await server.ConnectAsync(session);

        var hello = await socket.ExpectAsync("hello");

        Assert.Equal(session, hello.Text("session"));
        Assert.Equal("echo", hello.Text("responder"));
        Assert.Equal(0, hello.Number("seq"));
        Assert.Empty(hello.GetProperty("open").EnumerateArray());
        Assert.Contains("cancel", hello.GetProperty("features").EnumerateArray().Select(feature => feature.GetString()));
    }

    [Theory]
    [InlineData("""{"question":"How are you?"}""")]
    [InlineData("""{"type":"message","content":"How are you?"}""")]
    public async Task Ask_AsTheOldManagersClientsDo_IsAnsweredInOneFrame(string frame)
    {
        await using var socket = await server.OpenBasicAsync(Names.Session());

        await socket.SendAsync(frame);
        var response = await socket.ExpectAsync("response");

        Assert.Equal("How are you?", response.Text("data"));
        Assert.Equal("completed", response.Text("status"));
        Assert.Single(socket.Frames);
    }

    [Fact]
    public async Task Ask_WithAClientLibraryThatIsNotOurs_IsAnswered()
    {
        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var client = new WebsocketClient(server.Server.Socket(Names.Session()), () => new ClientWebSocket());
        client.IsReconnectionEnabled = false;
        using var messages = client.MessageReceived.Subscribe(new Receiver(answer));
        await client.StartOrFail();

        client.Send("""{"question":"Who are you?"}""");

        var response = JsonSerializer.Deserialize<JsonElement>(await answer.Task.WaitAsync(Patience));
        Assert.Equal(("response", "Who are you?"), (response.Type(), response.Text("data")));
        await client.Stop(WebSocketCloseStatus.NormalClosure, "done");
    }

    [Fact]
    public async Task Ask_SeenByASecondSocket_IsFollowedThereWithItsQuestion()
    {
        var session = Names.Session();
        await using var asking = server.Client(session);
        await using var following = server.Client(session);
        await asking.ConnectAsync();
        await following.ConnectAsync();

        var question = await asking.AskAsync("one two three four");
        await asking.PumpUntilDoneAsync(question);
        await following.PumpUntilAsync(
            () => following.Questions.GetValueOrDefault(question.Id)?.End is not null, $"the end of {question.Id} on the other socket");

        var followed = following.Questions[question.Id];
        Assert.Equal("one two three four", followed.Text);
        Assert.Equal(question.Answer.ToString(), followed.Answer.ToString());
        Assert.Equal(asking.Last, following.Last);
    }

    [Fact]
    public async Task Ask_WithConnectionsThatDropInMidAnswer_GoesOnFromTheLastPiece()
    {
        var words = string.Join(' ', Enumerable.Range(1, 80).Select(number => $"wörd{number}"));
        await using var client = server.Client(Names.Session());
        await client.ConnectAsync();
        var question = await client.AskAsync(words);

        foreach (var enough in new[] { 1, 10, 30 })
        {
            await client.PumpUntilAsync(() => question.NextDelta >= enough, $"{enough} deltas");
            var seen = client.Last;
            await client.DropAsync();
            await client.ConnectAsync();
            Assert.True(client.Resumed?.Flag("recovered"), $"Resuming after {seen} was not possible: {client.Resumed}");
        }

        await client.PumpUntilAsync(() => question.NextDelta >= 50, "50 deltas");
        await client.RewindAsync(5);
        await client.PumpUntilDoneAsync(question);
        Assert.Equal(words, question.Answer.ToString());
        // Pieces that arrived close together were joined before they were numbered. The events are accepted, the deltas and done.
        Assert.Equal(1 + question.NextDelta + 1, client.Last);
    }

    private sealed class Receiver(TaskCompletionSource<string> first) : IObserver<ResponseMessage>
    {
        public void OnNext(ResponseMessage value) => first.TrySetResult(value.Text ?? "");

        public void OnError(Exception error) => first.TrySetException(error);

        public void OnCompleted() => first.TrySetCanceled();
    }
}
