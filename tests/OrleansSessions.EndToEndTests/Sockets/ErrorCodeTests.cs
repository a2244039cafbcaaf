using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Sockets;

/// <summary>All errors of requests on an open socket, by code. The socket remains open, and the error contains the question's id.</summary>
public sealed class ErrorCodeTests(ExternalServerFixture server) : IClassFixture<ExternalServerFixture>
{
    [Fact]
    public async Task SessionBusy_NamesTheRunningQuestion()
    {
        await using var socket = await OpenBusyAsync("q-1");

        await socket.AskAsync("second", "q-2");

        var error = await socket.ExpectErrorAsync(WireErrors.SessionBusy);
        Assert.Equal(WireErrors.BusyMessage, error.Text("message"));
        Assert.Equal(("q-2", "q-1"), (error.Text("question_id"), error.Text("active_question_id")));
        Assert.True(error.Flag("retryable") && error.Number("retry_after_ms") > 0 && error.Number("active_for_ms") >= 0, error.GetRawText());
        await IsUsableAsync(socket);
    }

    [Fact]
    public async Task QueueFull_RefusesTheOneTooMany()
    {
        await using var socket = await OpenBusyAsync("q-1");
        foreach (var (id, position) in new[] { ("q-2", 1), ("q-3", 2) })
        {
            await socket.AskAsync("waits", id, "queue");
            Assert.Equal(position, (await socket.UntilAsync("accepted", id)).Number("position"));
        }

        await socket.AskAsync("one too many", "q-4", "queue");

        Assert.Equal("q-4", (await socket.ExpectErrorAsync(WireErrors.QueueFull)).Text("question_id"));
        await IsUsableAsync(socket);
    }

    [Fact]
    public async Task QuestionConflict_RefusesAnIdWithAnotherText()
    {
        await using var socket = await OpenBusyAsync("q-1");

        await socket.AskAsync("not what it was", "q-1");

        Assert.Equal("q-1", (await socket.ExpectErrorAsync(WireErrors.QuestionConflict)).Text("question_id"));
        await IsUsableAsync(socket);
    }

    [Fact]
    public async Task QuestionNotFound_RefusesToCancelAnUnknownQuestion()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        await socket.CancelAsync("q-none");

        Assert.Equal("q-none", (await socket.ExpectErrorAsync(WireErrors.QuestionNotFound)).Text("question_id"));
        await IsUsableAsync(socket);
    }

    [Fact]
    public async Task NoOpenQuestion_RefusesToCancelNothing()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        await socket.CancelAsync();

        await socket.ExpectErrorAsync(WireErrors.NoOpenQuestion);
        await IsUsableAsync(socket);
    }

    [Fact]
    public async Task QuestionTooLarge_RefusesAQuestionOverItsLimit()
    {
        await using var socket = await server.OpenAsync(Names.Session());

        await socket.AskAsync(new string('x', 32 * 1024 + 1), "q-1");

        Assert.Equal("q-1", (await socket.ExpectErrorAsync(WireErrors.QuestionTooLarge)).Text("question_id"));
        await IsUsableAsync(socket);
    }

    [Fact]
    public async Task Replace_EndsTheRunningAndTheQueuedBeforeItIsAccepted()
    {
        await using var socket = await OpenBusyAsync("q-1");
        await socket.AskAsync("waits", "q-2", "queue");
        await socket.ExpectAsync("accepted");

        await socket.AskAsync("instead", "q-3", "replace");

        foreach (var id in new[] { "q-1", "q-2" })
        {
            var done = await socket.ExpectAsync("done");
            Assert.Equal((id, "cancelled", DoneReasons.Replaced), (done.Text("question_id"), done.Text("status"), done.Text("reason")));
        }

        Assert.Equal("q-3", (await socket.ExpectAsync("accepted")).Text("question_id"));
    }

    [Fact]
    public async Task Cancel_IsAcknowledgedAndThenNothingButTheEndFollows()
    {
        var session = Names.Session();
        await using var socket = await server.OpenAsync(session);
        await socket.AskAsync("long", "q-1");
        await socket.ExpectAsync("accepted");
        await server.Http.AnswerAsync(session, "q-1", 0, "half of ");
        await socket.ExpectAsync("delta");

        await socket.CancelAsync("q-1");

        Assert.Equal("q-1", (await socket.ExpectAsync("cancelling")).Text("question_id"));
        var done = await socket.ExpectAsync("done");
        Assert.Equal(("cancelled", DoneReasons.ByClient, 8L), (done.Text("status"), done.Text("reason"), done.Number("bytes")));
        await socket.CancelAsync("q-1");
        Assert.True((await socket.ExpectAsync("done")).Flag("replay"), "Cancelling an ended question did not send its end again.");
    }

    [Fact]
    public async Task AskAgain_WithTheSameIdAndText_IsAnsweredFromTheLogToThatSocketAlone()
    {
        var session = Names.Session();
        await using var asking = await server.OpenAsync(session);
        await using var other = await server.OpenAsync(session);
        await asking.AskAsync("once", "q-1");
        await asking.ExpectAsync("accepted");
        await server.Http.RespondAsync(session, "forever");
        var done = await asking.UntilAsync("done");
        await other.UntilAsync("done");

        await asking.AskAsync("once", "q-1");

        Assert.True((await asking.ExpectAsync("accepted")).Flag("duplicate"));
        Assert.Equal("forever", (await asking.ExpectAsync("snapshot")).Text("text"));
        var repeated = await asking.ExpectAsync("done");
        Assert.True(repeated.Flag("replay"));
        Assert.Equal(done.Number("seq"), repeated.Number("seq"));
        await IsUsableAsync(other);
    }

    [Fact]
    public async Task AnswerTooLarge_EndsTheQuestionIncompleteWithWhatFits()
    {
        var session = Names.Session();
        await using var socket = await server.OpenAsync(session);
        await socket.AskAsync("tell me everything", "q-1");
        await socket.ExpectAsync("accepted");

        await server.Http.AnswerAsync(session, "q-1", 0, new string('x', 1500));
        await server.Http.AnswerAsync(session, "q-1", 1500, new string('y', 1500));

        var done = await socket.UntilAsync("done");
        Assert.Equal(("incomplete", DoneReasons.AnswerTooLarge), (done.Text("status"), done.Text("reason")));
        Assert.True(done.Number("bytes") is >= 1500 and <= 2000, done.GetRawText());
    }

    private async Task<CheckedSocket> OpenBusyAsync(string questionId)
    {
        var socket = await server.OpenAsync(Names.Session());
        await socket.AskAsync("first", questionId);
        await socket.ExpectAsync("accepted");
        return socket;
    }

    /// <summary>Checks that the socket is open and that the next frame is the reply to the next request, so nothing else was sent.</summary>
    private static async Task IsUsableAsync(CheckedSocket socket)
    {
        await socket.SendAsync("""{"type":"ping"}""");
        await socket.ExpectAsync("ping");
    }
}
