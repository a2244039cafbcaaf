using System.Buffers;
using System.Text;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Schemas;
using Xunit;
using Xunit.Sdk;

namespace OrleansSessions.Tests.Protocol;

public sealed partial class DocumentTests
{
    private static readonly QuestionEnd Completed = new() { Status = QuestionStatus.Completed, Deltas = 4, Bytes = 16, FirstMs = 210, TotalMs = 640 };
    private static readonly QuestionEnd TimedOut = new()
    {
        Status = QuestionStatus.Timeout,
        Reason = DoneReasons.TimeoutFirstDelta,
        Message = "No text came.",
        IsRetryable = true,
        TotalMs = 120_000,
    };

    private static readonly QuestionEnd Overloaded = new()
    {
        Status = QuestionStatus.Failed,
        Reason = DoneReasons.ResponderUnavailable,
        IsRetryable = true,
        RetryAfterMs = 86_400_000,
    };

    private static readonly OpenQuestion[] Open = [new("q-1", QuestionStatus.Answering, 5), new("q-2", QuestionStatus.Queued, 0)];

    private static readonly HelloMessage Hello = new()
    {
        Session = "abc",
        OldestSeq = 1,
        ResumeTtlMs = 86_400_000,
        Connection = "c-1",
        Responder = "echo",
        Epoch = "e19",
        HeartbeatMs = 25_000,
        MaxMessageBytes = 65_536,
        MaxQuestionBytes = 32_768,
        ReconnectMinMs = 250,
        ReconnectMaxMs = 15_000,
    };

    private static readonly SnapshotMessage Snapshot = new() { Epoch = "e19", QuestionId = "q-1", Text = "Hello" };

    private static readonly ErrorMessage Busy =
        new(WireErrors.SessionBusy, WireErrors.BusyMessage, "q-2", RetryAfterMs: 1000) { ActiveQuestionId = "q-1", ActiveForMs = 5200 };

    private static readonly ServerMessage[] V1Messages =
    [
        Hello with { Features = ["cancel", "queue", "replace"] },
        Hello with { Seq = 412, Open = Open, IsResuming = true },
        new AcceptedMessage(1, "q-1", false, 0, null),
        new AcceptedMessage(2, "q-2", false, 1, "Why?", IsReplay: true),
        new AcceptedMessage(2, "q-2", true, 0, null),
        new DeltaMessage(3, "q-1", 0, 1, "Hel"),
        new DeltaMessage(9, "q-1", 1, 6, "lo \"all\" \u2028 \ud83d\ude00", IsReplay: true),
        new DoneMessage(10, "q-1", Completed),
        new DoneMessage(10, "q-1", TimedOut, IsReplay: true),
        new DoneMessage(10, "q-1", Overloaded),
        Snapshot with { Question = "Why?", Text = "", Status = QuestionStatus.Accepted },
        Snapshot with { Deltas = 2, Bytes = 5, Status = QuestionStatus.Answering, Parts = 2 },
        Snapshot with { Deltas = 4, Bytes = 16, Status = QuestionStatus.Completed, Part = 2, Parts = 2, End = Completed },
        new ResumedMessage(true, null, "e19", 0, []),
        new ResumedMessage(false, "epoch_changed", "e1a", 7, Open),
        new CancellingMessage("q-1"),
        Busy,
        new ErrorMessage(WireErrors.BadRequest, "No.", null, "if_busy"),
        .. WireErrors.All.Where(error => error != WireErrors.SessionBusy).Select(error => new ErrorMessage(error, error.Title, "q-1")),
        new ExpiringMessage(60_000),
        new ReconnectMessage("draining", 3120),
        new AuthenticatedMessage(3_600_000),
        new AuthenticatedMessage(null),
        new ServerPingMessage(0),
    ];

    private static readonly ServerMessage[] BasicMessages =
    [
        new BasicResponseMessage("q-1", QuestionStatus.Completed, "Hello"),
        new BasicResponseMessage("q-1", QuestionStatus.Incomplete, "Hel", DoneReasons.Length),
        new BasicFailureMessage("q-1", QuestionStatus.Failed, DoneReasons.ResponderError, "It failed.", ""),
        new BasicFailureMessage("q-1", QuestionStatus.Failed, DoneReasons.ResponderUnavailable, "Full.", "") { RetryAfterMs = 20_000 },
        Busy,
    ];

    [Fact]
    public void EveryV1Message_IsWritten_AsTheSchemaSays()
    {
        foreach (var json in V1Messages.Select(Write))
        {
            FrameSchema.AssertServerFrame(WireProfile.V1, json);
            Assert.True(FrameSchema.Fits("v1Server", json), json);
        }
    }

    [Fact]
    public void EveryBasicMessage_IsWritten_AsTheSchemaSays()
    {
        foreach (var json in BasicMessages.Select(Write))
        {
            FrameSchema.AssertServerFrame(WireProfile.Basic, json);
            Assert.True(FrameSchema.Fits("basicServer", json), json);
        }
    }

    /// <summary>Except the type for events of later versions, which the schema of this version cannot contain.</summary>
    [Fact]
    public void EveryServerMessageType_IsAmongThoseWrittenHere() =>
        Assert.Equal(
            typeof(ServerMessage).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(ServerMessage))).Select(type => type.Name).Order(),
            V1Messages.Concat(BasicMessages).Select(message => message.GetType().Name).Append(nameof(OtherEventMessage)).Distinct().Order());

    [Theory]
    [InlineData("""{"type":"delta","seq":0,"question_id":"q","index":0,"text":"a"}""", "/seq")]
    [InlineData("""{"type":"delta","seq":2,"from_seq":1,"question_id":"q","index":0,"text":"a"}""", "count")]
    [InlineData("""{"type":"delta","seq":2,"question_id":"q","index":0,"text":""}""", "/text")]
    [InlineData("""{"type":"ping"}""", "seq")]
    [InlineData("""{"type":"cancelling","question_id":"a b"}""", "/question_id")]
    [InlineData("""{"type":"shout"}""", "shout")]
    [InlineData("""{"type":"accepted","seq":1,"question_id":"q","duplicate":false,"position":0,"replay":false}""", "/replay")]
    [InlineData("""[1]""", "not a JSON object")]
    [InlineData("""{"type":""", "not JSON")]
    public void FrameThatBreaksTheSchema_IsReported_ByItsField(string json, string expected)
    {
        var fault = Assert.Throws<XunitException>(() => FrameSchema.AssertServerFrame(WireProfile.V1, json));

        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
    }

    private static string Write(ServerMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        using var json = ServerMessageWriter.CreateWriter(output);
        ServerMessageWriter.Write(json, message);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
