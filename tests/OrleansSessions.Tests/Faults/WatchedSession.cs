using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Faults;

/// <summary>
/// One session with a client of each kind: v1 sockets at both socket gateways, a basic socket and an event stream. Each checks
/// every frame. <see cref="SettleAsync"/> compares what they got with what is stored.
/// </summary>
internal sealed class WatchedSession : IAsyncDisposable
{
    private readonly SessionCluster _cluster;
    private readonly string _id;
    private readonly List<string> _questions = [];
    private int _basicQuestions;

    private WatchedSession(SessionCluster cluster, string id, ReferenceClient left, ReferenceClient right, CheckedSocket basic, FollowedStream stream) =>
        (_cluster, _id, Left, Right, Basic, Stream) = (cluster, id, left, right, basic, stream);

    public ReferenceClient Left { get; }

    public ReferenceClient Right { get; }

    public CheckedSocket Basic { get; }

    public FollowedStream Stream { get; }

    public static async Task<WatchedSession> OpenAsync(FaultyClusterFixture cluster, string id) => new(
        cluster.Cluster,
        id,
        await TwoGatewaysFixture.ConnectAsync(cluster.Left, id),
        await TwoGatewaysFixture.ConnectAsync(cluster.Right, id),
        await CheckedSocket.ConnectAsync(cluster.Right.SocketAddress($"/ws/{id}"), WireProfile.Basic),
        await FollowedStream.OpenAsync(cluster.Left, id));

    /// <summary>A v1 client asks, and all follow the answer to its end.</summary>
    public async Task AskAsync(ReferenceClient asker, int pieces)
    {
        var text = NextText();
        var question = await asker.AskAsync(text);
        await Task.WhenAll(SendAsync(text, pieces, isFinished: true), FollowAsync(question.Id));
        Assert.Equal(Whole(pieces), question.Answer.ToString());
    }

    /// <summary>One v1 client asks, the other cancels when it has seen some text, and all follow the answer to its end.</summary>
    public async Task AskAndCancelAsync(ReferenceClient asker, ReferenceClient canceller, int pieces)
    {
        var text = NextText();
        var question = await asker.AskAsync(text);
        var sending = SendAsync(text, pieces, isFinished: false);
        await canceller.PumpUntilAsync(
            () => canceller.Questions.TryGetValue(question.Id, out var seen) && seen.NextDelta > 0, $"text of {question.Id}");
        await sending;
        await canceller.Socket.CancelAsync(question.Id);
        await FollowAsync(question.Id);
        Assert.Equal("cancelled", question.Status);
    }

    /// <summary>The basic client asks. It gets its answer whole, and the others follow it.</summary>
    public async Task AskBasicAsync(int pieces)
    {
        var text = NextText();
        var id = $"basic-{++_basicQuestions}";
        await Basic.AskAsync(text, id);
        var response = Basic.UntilAsync("response", id);
        await Task.WhenAll(SendAsync(text, pieces, isFinished: true), FollowAsync(id), response);
        Assert.Equal((Whole(pieces), "completed"), ((await response).Text("data"), (await response).Text("status")));
    }

    /// <summary>Compares what each client got with what is stored, and expects that the session is free.</summary>
    public async Task SettleAsync()
    {
        var session = _cluster.Session(_id);
        foreach (var question in _questions)
        {
            var stored = (await session.GetQuestionAsync(question))!;
            Assert.Equal(stored.Text, Left.Questions[question].Answer.ToString());
            Assert.Equal(stored.Text, Right.Questions[question].Answer.ToString());
            Assert.Equal(stored.Text, Stream.Answer(question));
        }

        var whole = (await session.DescribeAsync())!;
        Assert.Empty(whole.Open);
        Assert.True(await session.CanAcceptQuestionAsync());
        Assert.Equal((whole.Seq, whole.Seq, whole.Seq), (Left.Last, Right.Last, Stream.Last));
        Assert.Null(Left.Resumed);
        Assert.Null(Right.Resumed);
        Assert.Equal(_basicQuestions, Basic.Frames.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await Left.DisposeAsync();
        await Right.DisposeAsync();
        await Basic.DisposeAsync();
        await Stream.DisposeAsync();
    }

    private static string Whole(int pieces) => string.Concat(Enumerable.Range(0, pieces).Select(Piece));

    private static string Piece(int number) => $"piece {number} of grüße; ";

    private string NextText() => $"{_id} asks {_questions.Count}";

    private async Task FollowAsync(string question)
    {
        _questions.Add(question);
        await Task.WhenAll(FollowAsync(Left, question), FollowAsync(Right, question), Stream.UntilDoneAsync(question));
    }

    private static Task FollowAsync(ReferenceClient client, string question) => client.PumpUntilAsync(
        () => client.Questions.TryGetValue(question, out var seen) && seen.End is not null, $"the end of {question}");

    /// <summary>Sends one piece after the other, so that each becomes an item of its own.</summary>
    private async Task SendAsync(string text, int pieces, bool isFinished)
    {
        var script = _cluster.Responder.For(text);
        for (var piece = 0; piece < pieces; piece++)
        {
            script.Send(Piece(piece));
            var number = piece;
            await Eventually.TrueAsync(() => script.Taken > number, $"piece {number} of '{text}' is taken");
        }

        if (isFinished)
        {
            script.Finish();
        }
    }
}
