using System.Buffers;
using System.Text;
using OrleansSessions.Protocol;
using Xunit;

namespace OrleansSessions.Tests.Protocol;

public sealed class ServerMessageWriterTests
{
    private static readonly QuestionEnd End = new() { Status = QuestionStatus.Completed, Deltas = 7, Bytes = 9, FirstMs = 210, TotalMs = 640 };

    private static readonly QuestionEnd Overloaded = new()
    {
        Status = QuestionStatus.Failed,
        Reason = DoneReasons.ResponderUnavailable,
        Message = "Full.",
        IsRetryable = true,
        RetryAfterMs = 20_000,
        TotalMs = 90,
    };

    public static TheoryData<ServerMessage, string> Frames => new()
    {
        { new AcceptedMessage(413, "q-8", false, 0, "why?"), """{"type":"accepted","seq":413,"question_id":"q-8","duplicate":false,"position":0,"question":"why?"}""" },
        { new AcceptedMessage(413, "q-8", true, 2, null, true), """{"type":"accepted","seq":413,"question_id":"q-8","duplicate":true,"position":2,"replay":true}""" },
        { new DeltaMessage(414, "q-8", 0, 1, "Hel"), """{"type":"delta","seq":414,"question_id":"q-8","index":0,"text":"Hel"}""" },
        {
            new DeltaMessage(420, "q-8", 1, 6, "lo", true),
            """{"type":"delta","seq":420,"from_seq":415,"question_id":"q-8","index":1,"count":6,"text":"lo","replay":true}"""
        },
        {
            new DoneMessage(421, "q-8", End),
            """{"type":"done","seq":421,"question_id":"q-8","status":"completed","reason":null,"message":null,"retryable":false,"deltas":7,"bytes":9,"first_ms":210,"total_ms":640}"""
        },
        {
            new DoneMessage(421, "q-8", Overloaded),
            """{"type":"done","seq":421,"question_id":"q-8","status":"failed","reason":"responder_unavailable","message":"Full.","retryable":true,"retry_after_ms":20000,"deltas":0,"bytes":0,"first_ms":null,"total_ms":90}"""
        },
        {
            new SnapshotMessage { Epoch = "e19", QuestionId = "q-8", Text = "", Status = QuestionStatus.Failed, End = Overloaded },
            """{"type":"snapshot","epoch":"e19","question_id":"q-8","text":"","part":1,"parts":1,"status":"failed","reason":"responder_unavailable","message":"Full.","retryable":true,"retry_after_ms":20000,"deltas":0,"bytes":0,"first_ms":null,"total_ms":90}"""
        },
        {
            new SnapshotMessage { Epoch = "e19", QuestionId = "q-8", Question = "why?", Text = "Hello", Deltas = 7, Bytes = 9, Status = QuestionStatus.Answering },
            """{"type":"snapshot","epoch":"e19","question_id":"q-8","text":"Hello","question":"why?","part":1,"parts":1,"deltas":7,"bytes":9,"status":"answering"}"""
        },
        {
            new ResumedMessage(false, "trimmed", "e19", 421, [new("q-9", QuestionStatus.Queued, 5)]),
            """{"type":"resumed","recovered":false,"reason":"trimmed","epoch":"e19","to_seq":421,"open":[{"question_id":"q-9","state":"queued","age_ms":5}]}"""
        },
        { new OtherEventMessage(5, "q-8", "part", "{}", true), """{"type":"part","seq":5,"question_id":"q-8","replay":true}""" },
        { new CancellingMessage("q-8"), """{"type":"cancelling","question_id":"q-8"}""" },
        { new ServerPingMessage(421), """{"type":"ping","seq":421}""" },
        {
            new ErrorMessage(WireErrors.SessionBusy, WireErrors.BusyMessage, "q-9", RetryAfterMs: 1000) { ActiveQuestionId = "q-8", ActiveForMs = 5200 },
            """{"type":"error","message":"Please wait for the previous response","code":"session_busy","retryable":true,"retry_after_ms":1000,"question_id":"q-9","active_question_id":"q-8","active_for_ms":5200}"""
        },
        { new BasicResponseMessage("q", QuestionStatus.Completed, "a\"b<é"), """{"type":"response","data":"a\"b<é","question_id":"q","status":"completed"}""" },
        {
            new BasicFailureMessage("q", QuestionStatus.Timeout, "timeout_total", "Too long.", "x"),
            """{"type":"error","message":"Too long.","code":"timeout_total","question_id":"q","status":"timeout","data":"x"}"""
        },
        {
            new BasicFailureMessage("q", QuestionStatus.Failed, "responder_unavailable", "Full.", "") { RetryAfterMs = 0 },
            """{"type":"error","message":"Full.","code":"responder_unavailable","retry_after_ms":0,"question_id":"q","status":"failed","data":""}"""
        },
    };

    [Theory]
    [InlineData("""{"part":{"id":7},"text":[1]}""", ""","part":{"id":7},"text":[1]""")]
    [InlineData("""{"type":"a","seq":1,"question_id":"b","replay":true,"kept":1}""", ""","kept":1""")]
    [InlineData(null, "")]
    [InlineData("[1]", "")]
    [InlineData("{", "")]
    public void AnEventOfAnotherKind_HasItsBodysMembers_AndNoFieldTwice(string? body, string members) =>
        EveryMessage_HasItsFrame(new OtherEventMessage(5, "q", "part", body), $$"""{"type":"part","seq":5,"question_id":"q"{{members}}}""");

    [Theory]
    [MemberData(nameof(Frames))]
    public void EveryMessage_HasItsFrame(ServerMessage message, string json)
    {
        var output = new ArrayBufferWriter<byte>();
        ServerMessageWriter.Write(ServerMessageWriter.CreateWriter(output), message);
        Assert.Equal(json, Encoding.UTF8.GetString(output.WrittenSpan));
    }

    /// <summary>The longest texts that the options allow, with characters that have one byte in UTF-8 and six in JSON.</summary>
    public static TheoryData<ServerMessage> LargestFrames
    {
        get
        {
            static string Text(int length) => new('\u0001', length);
            var id = new string('i', Identifiers.MaxQuestionIdLength);
            var question = Text(96 * 1024);
            var end = End with { Status = QuestionStatus.Failed, Reason = Text(64), Message = Text(64 + 2 + 1024), RetryAfterMs = long.MaxValue };
            var open = Enumerable.Repeat(new OpenQuestion(id, QuestionStatus.Answering, long.MaxValue), 1 + 1_000).ToArray();
            return
            [
                new AcceptedMessage(long.MaxValue, id, false, 1_000, question, true),
                new SnapshotMessage
                {
                    Epoch = "e19", QuestionId = id, Question = question, Text = Text(64 * 1024), Deltas = int.MaxValue, Bytes = long.MaxValue,
                    Status = QuestionStatus.Failed, Part = 16, Parts = 16, End = end,
                },
                new DeltaMessage(long.MaxValue, id, int.MaxValue, int.MaxValue, Text(128 * 1024), true),
                new DoneMessage(long.MaxValue, id, end, true),
                new ResumedMessage(false, "epoch_changed", "e19", long.MaxValue, open),
            ];
        }
    }

    [Theory]
    [MemberData(nameof(LargestFrames), DisableDiscoveryEnumeration = true)]
    public void NoFrame_Exceeds1MiB(ServerMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        ServerMessageWriter.Write(ServerMessageWriter.CreateWriter(output), message);
        Assert.InRange(output.WrittenCount, 1, 1024 * 1024);
    }

    [Fact]
    public void EveryErrorCode_OccursOnce_AndIsFound()
    {
        Assert.Equal(WireErrors.All.Count, WireErrors.All.Select(error => error.Code).Distinct().Count());
        Assert.All(WireErrors.All, error => Assert.Same(error, WireErrors.Find(error.Code)));
    }
}
