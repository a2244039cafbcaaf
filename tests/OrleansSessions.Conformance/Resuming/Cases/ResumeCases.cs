using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Proxies;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Resuming.Cases;

/// <summary>The script: connections are cut by plan, and each answer must arrive whole and once.</summary>
internal static class ResumeCases
{
    private const int MinPieces = 12;

    private static readonly Cut[] InMidAnswer = [new(5), new(6, CloseCode: 4001), new(7, Lost: 3), new(4, Lost: 1, CloseCode: 1001), new(9)];
    private static readonly Cut[] InReplay = [new(8, Lost: 6), new(2), new(3, Lost: 1), new(1), new(2, CloseCode: 1012), new(3)];

    public static IReadOnlyList<ConformanceCase<ResumeScene>> All { get; } =
    [
        new("12.own-answer", "an answer whose connections are cut in its middle arrives whole and once", scene => OwnAsync(scene, InMidAnswer)),
        new("12.cut-replays", "an answer whose connections are cut again and again while they are resumed arrives whole and once",
            scene => OwnAsync(scene, InReplay)),
        new("12.followed-answer", "an answer to someone else arrives whole and once over connections that are cut", FollowedAsync),
        new("12.question-lost", "a question that is lost with its connection is asked once", scene => AskedOnceAsync(scene, QuestionFate.IsLost)),
        new("12.acceptance-lost", "a question whose acceptance is lost with its connection is asked once",
            scene => AskedOnceAsync(scene, QuestionFate.ArrivesUnanswered)),
        new("12.cancel-over-cuts", "a cancel between cuts ends the answer, with the text that the server has", CancelAsync),
        new("12.busy-after-cuts", "after a cut, a busy session is still reported with who is running", BusyAsync),
    ];

    /// <summary>What is tried when one of two servers is lost in the middle of an answer.</summary>
    public static IReadOnlyList<ConformanceCase<ResumeScene>> LosingAServer { get; } =
    [
        new("12.server-lost", "an answer whose server is lost in its middle arrives whole and once from another one", ServerLostAsync),
    ];

    private static async Task OwnAsync(ResumeScene scene, Cut[] cuts)
    {
        scene.Plan.Cuts = cuts;
        await scene.ConnectAsync();
        await scene.DoAsync(new { @do = "ask", id = "q-1", question = scene.LongQuestion });
        await AnswerAndCompareAsync(scene, "q-1");
    }

    private static async Task FollowedAsync(ResumeScene scene)
    {
        scene.Plan.Cuts = InMidAnswer;
        await scene.ConnectAsync();
        await scene.AskAsOtherAsync("other", scene.LongQuestion);
        await AnswerAndCompareAsync(scene, "other");
    }

    private static async Task AskedOnceAsync(ResumeScene scene, QuestionFate fate)
    {
        scene.Plan.FirstQuestion = fate;
        await scene.ConnectAsync();
        await scene.DoAsync(new { @do = "ask", id = "q-1", question = scene.LongQuestion });
        await AnswerAndCompareAsync(scene, "q-1");
    }

    private static async Task CancelAsync(ResumeScene scene)
    {
        scene.Plan.Cuts = [new(5), new(4, Lost: 1), new(4)];
        await scene.ConnectAsync();
        await scene.DoAsync(new { @do = "ask", id = "q-1", question = scene.LongQuestion });
        await scene.UntilAcceptedAsync("q-1");
        if (scene.IsExternal)
        {
            await new PacedAnswer(scene, "q-1").GrowUntilAsync(() => scene.Plan.Done > 0, MinPieces, "a cut");
        }

        await scene.UntilCutAsync(1);
        await scene.DoAsync(new { @do = "cancel", id = "q-1" });
        var ended = await scene.Lines.UntilAsync("ended", "q-1");
        Check.Equal("cancelled", ended.Text("status"), "how the question ended");
        await CompareAsync(scene, "q-1", ended);
    }

    private static async Task BusyAsync(ResumeScene scene)
    {
        scene.Plan.Cuts = [new(3)];
        await scene.ConnectAsync();
        await scene.AskAsOtherAsync("other", scene.LongQuestion);
        if (scene.IsExternal)
        {
            await new PacedAnswer(scene, "other").GrowUntilAsync(() => scene.Plan.IsOver, MinPieces, "a cut");
        }

        await scene.Lines.StateAsync("live");
        await scene.DoAsync(new { @do = "ask", id = "q-1", question = "And now?" });
        var refused = await scene.Lines.UntilAsync("refused", "q-1");
        Check.Equal("session_busy other", $"{refused.Text("code")} {refused.Text("active_question_id")}", "the code, and the running question");
        Check.That(refused.Number("active_for_ms") >= 0, "active_for_ms", refused);
        await scene.CallAsync(HttpMethod.Post, "/questions/other/cancel");
        await CompareAsync(scene, "other", await scene.Lines.UntilAsync("ended", "other"));
    }

    private static async Task ServerLostAsync(ResumeScene scene)
    {
        if (!scene.IsExternal || scene.LoseServer is null)
        {
            throw new CaseSkippedException("No server can be lost here: it needs two of them, with the responder 'external'.");
        }

        await scene.ConnectAsync();
        await scene.DoAsync(new { @do = "ask", id = "q-1", question = "What is a silo?" });
        await scene.UntilAcceptedAsync("q-1");
        var answer = new PacedAnswer(scene, "q-1");
        await answer.GrowUntilAsync(() => true, MinPieces, "pieces");
        var losing = scene.LoseServer();
        await answer.GrowUntilAsync(() => losing.IsCompleted, MinPieces, "the loss of a server");
        await losing;
        await answer.GrowUntilAsync(() => true, MinPieces, "pieces");
        await answer.FinishAsync();
        var ended = await scene.Lines.EndedAsync("q-1", answer.Text);
        await CompareAsync(scene, "q-1", ended);
    }

    private static async Task AnswerAndCompareAsync(ResumeScene scene, string id)
    {
        await scene.UntilAcceptedAsync(id);
        string? text = null;
        if (scene.IsExternal)
        {
            var answer = new PacedAnswer(scene, id);
            await answer.GrowUntilAsync(() => scene.Plan.IsOver, MinPieces, "all cuts of the plan");
            await answer.FinishAsync();
            text = answer.Text;
        }

        var ended = await scene.Lines.UntilAsync("ended", id);
        Check.That(scene.Plan.Done > 0, "a cut in mid-answer; a longer --question gives time for it", "none");
        Check.Equal("completed", ended.Text("status"), "how the question ended");
        if (text is not null)
        {
            Check.Equal(text, ended.Text("text"), "the whole answer");
        }

        Check.That(!scene.Lines.Past.Any(line => line.Text("event") == "restarted"), "no 'restarted', because the server withdrew nothing", "one");
        await CompareAsync(scene, id, ended);
        var question = await scene.ReadAsync(id);
        // The log begins with this question, and holds nothing but its deltas before its end: it was asked once.
        Check.Equal(1, question.Number("accepted_seq"), "the number of 'accepted'");
        Check.Equal(question.Number("deltas") + 2, question.Number("done_seq"), "the number of 'done', after each delta");
    }

    /// <summary>Holds what the client showed against what the server has.</summary>
    private static async Task CompareAsync(ResumeScene scene, string id, Frame ended)
    {
        var question = await scene.ReadAsync(id);
        Check.Equal(question.Text("text"), ended.Text("text"), "the whole answer, as HTTP has it");
        Check.Equal(question.Text("status"), ended.Text("status"), "the status, as HTTP has it");
        var (_, all) = await scene.CallAsync(HttpMethod.Get, "/questions");
        Check.Equal(id, string.Join(' ', all!.List("questions").Select(each => each.QuestionId)), "the questions of the session");
    }
}
