using Orleans.Serialization;
using OrleansSessions.Gateways;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Grains.Records;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;

namespace OrleansSessions.Tests.Contracts;

/// <summary>One value of everything that nodes of different versions exchange or store. Every field is set, so that none can be renumbered unseen.</summary>
internal static class StoredForms
{
    private static readonly Caller Caller = new() { Scope = "s.x", Subject = "ann", Permissions = ["ask", "follow"], TraceParent = "00-1-2-01" };

    private static readonly SiloAddress Silo = SiloAddress.New(System.Net.IPAddress.Loopback, 11111, 7);

    private static readonly DateTimeOffset Time = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly QuestionEnd End = new()
    {
        Status = QuestionStatus.Failed,
        Reason = DoneReasons.ResponderError,
        Message = "It broke.",
        IsRetryable = true,
        Deltas = 2,
        Bytes = 11,
        FirstMs = 210,
        TotalMs = 640,
        RetryAfterMs = 20_000,
    };

    private static readonly OpenQuestion[] Open = [new("q", QuestionStatus.Answering, 5)];

    private static readonly LogEvent[] Events =
    [
        LogEvent.Accepted(1, "q", "why", 2),
        LogEvent.Delta(2, "q", 1, "because"),
        LogEvent.Done(3, "q", End),
        new() { Seq = 4, QuestionId = "q", Kind = LogEventKind.Other, OtherKind = "part", BodyJson = """{"part":{"id":7}}""" },
    ];

    private static readonly QuestionDescription Description = new()
    {
        QuestionId = "q",
        Question = "why",
        Text = "because",
        Deltas = 2,
        Bytes = 7,
        Status = QuestionStatus.Failed,
        Epoch = 5,
        AcceptedSeq = 1,
        DoneSeq = 3,
        Position = 4,
        Attempt = 6,
        AskedAt = Time,
        Deadline = Time + TimeSpan.FromMinutes(1),
        End = End,
        DeadlineMs = 60_000,
    };

    private static readonly QuestionState Question = QuestionState.From(
        new Question("q", "why", Time)
        {
            MetadataJson = "{}",
            OptionsJson = """{"model":"m"}""",
            User = "ann",
            TraceParent = "00-1-2-01",
            StartedAt = Time + TimeSpan.FromSeconds(1),
            Status = QuestionStatus.Failed,
            Attempt = 2,
            AcceptedSeq = 1,
            DoneSeq = 3,
            AcceptedPosition = 4,
            End = End,
            Answer = "because",
            Bytes = 7,
            DeltaEnds = [3, 7],
            Responder = "external",
            IsAnsweredFromOutside = true,
            Epoch = 5,
            FruitlessAttempts = 1,
            LengthBefore = 2,
            FirstDeltaAt = Time + TimeSpan.FromSeconds(2),
            Saved = SavedText.Of([new(5, 0, 2)], length: 3, deltas: 1),
        });

    private static readonly ListedSession Listed = new() { SessionId = "s", LastQuestion = "why", UpdatedAt = Time, UsedAt = Time };

    private static readonly SocketGatewayEntry Entry = new() { Gateway = "g", Host = Silo };

    public static readonly IReadOnlyList<StoredForm> All =
    [
        Of("AttachRequest", new AttachRequest { Caller = Caller, Gateway = "g", Connections = 2, Version = 3, WantsSnapshot = true, BasicConnection = "c" }),
        Of("AttachReply", new AttachReply
        {
            Epoch = 5,
            Seq = 3,
            Open = Open,
            Snapshot = Description,
            Responder = "echo",
            IsStored = true,
            OldestSeq = 1,
            Retention = TimeSpan.FromHours(24),
        }),
        Of("DetachRequest", new DetachRequest { Caller = Caller, Gateway = "g", Connection = "c", Connections = 2, Version = 3 }),
        Of("ReadLogRequest", new ReadLogRequest { Caller = Caller, Gateway = "g", Epoch = 5, AfterSeq = 3, Connections = 2, Version = 4, MaxBytes = 9 }),
        Of(
            "LogPiece",
            new LogPiece { Outcome = LogReadOutcome.Trimmed, Epoch = 5, Head = 3, Events = Events, IsAtHead = true, Open = Open, Snapshot = Description }),
        Of("CanAcceptQuestionRequest", new CanAcceptQuestionRequest { Caller = Caller }),
        Of("AskRequest", new AskRequest
        {
            Caller = Caller,
            Gateway = "g",
            Connection = "c",
            QuestionId = "q",
            Question = "why",
            IfBusy = IfBusy.Queue,
            IsOrphanable = true,
            MetadataJson = "{}",
            OptionsJson = """{"model":"m"}""",
        }),
        Of("AskReply", new AskReply
        {
            Outcome = AskOutcome.Duplicate,
            QuestionId = "q",
            Epoch = 5,
            Seq = 1,
            Position = 4,
            Earlier = Description,
            ActiveQuestionId = "p",
            ActiveForMs = 5200,
            FaultyOption = "model",
            FaultMessage = "No such model.",
            ExceededQuota = AskQuota.Sessions,
        }),
        Of("CancelRequest", new CancelRequest { Caller = Caller, QuestionId = "q" }),
        Of("CancelReply", new CancelReply { Outcome = CancelOutcome.AlreadyDone, QuestionId = "q", Epoch = 5, AfterSeq = 3, Question = Description }),
        Of("AnswerRequest", new AnswerRequest
        {
            Caller = Caller,
            QuestionId = "q",
            Attempt = 1,
            Offset = 3,
            Text = "because",
            IsFinal = true,
            ErrorCode = "overloaded",
            ErrorMessage = "later",
        }),
        Of(
            "AnswerReply",
            new AnswerReply { Outcome = AnswerOutcome.AlreadyDone, QuestionId = "q", Offset = 3, IsDelivered = true, Status = QuestionStatus.Cancelled }),
        Of("DescribeRequest", new DescribeRequest { Caller = Caller, IsGlance = true }),
        Of("SessionDescription", new SessionDescription { Epoch = 5, Seq = 3, OldestSeq = 1, Connections = 2, Open = [Description], ExpiresAt = Time }),
        Of("GetQuestionRequest", new GetQuestionRequest { Caller = Caller, QuestionId = "q" }),
        Of("QuestionDescription", Description),
        Of("ListQuestionsRequest", new ListQuestionsRequest { Caller = Caller, Limit = 50 }),
        Of("WaitForEndRequest", new WaitForEndRequest { Caller = Caller, QuestionId = "q", Patience = TimeSpan.FromSeconds(20) }),
        Of("RemoveRequest", new RemoveRequest { Caller = Caller }),
        Of("RenewRequest", new RenewRequest { Caller = Caller, Gateway = "g", Host = Silo }),
        Of("LeaveRequest", new LeaveRequest { Caller = Caller, Gateway = "g" }),
        Of("ListRequest", new ListRequest { Caller = Caller }),
        Of("SocketGatewayList", new SocketGatewayList { Entries = [Entry], IsSettled = true }),
        Of("SocketGatewayEntry", Entry),
        Of("TakeAsksRequest", new TakeAsksRequest { Caller = Caller, Wanted = 6 }),
        Of("TakeAsksReply", new TakeAsksReply { Granted = 5, RetryAfter = TimeSpan.FromSeconds(2) }),
        Of("LeaseRequest", new LeaseRequest { Caller = Caller, Kind = LeaseKind.OpenQuestions, Holder = "g", InUse = 2, Wanted = 3, Version = 4 }),
        Of("LeaseReply", new LeaseReply { Granted = 3 }),
        Of("ListedSession", Listed),
        Of("AddSessionRequest", new AddSessionRequest { Caller = Caller, Session = Listed }),
        Of("AddSessionReply", new AddSessionReply { IsAdded = true }),
        Of("TouchSessionsRequest", new TouchSessionsRequest { Caller = Caller, Sessions = [Listed] }),
        Of("RemoveSessionsRequest", new RemoveSessionsRequest { Caller = Caller, SessionIds = ["s"], IsDurable = true }),
        Of("RemoveSessionsRequest, listed", RemoveSessionsRequest.For([Listed]) with { Caller = Caller }),
        Of("ListSessionsRequest", new ListSessionsRequest { Caller = Caller, Limit = 50, AfterUpdatedAt = Time, AfterSessionId = "s" }),
        Of("SessionList", new SessionList { Sessions = [Listed], HasMore = true }),
        Of("EraseIndexRequest", new EraseIndexRequest { Caller = Caller }),
        Of("EraseIndexReply", new EraseIndexReply { IsErased = true }),
        Of("ScopeIndexState", new ScopeIndexState { Sessions = [Listed] }),
        Of("LogEvent, accepted", Events[0]),
        Of("LogEvent, delta", Events[1]),
        Of("LogEvent, done", Events[2]),
        Of("LogEvent, other", Events[3]),
        Of("GatewayItem, events", GatewayItem.NewEvents(Silo, 1, "/s", 5, Events)),
        Of("GatewayItem, asleep", GatewayItem.Asleep(Silo, 2, "/s", 5)),
        Of("GatewayItem, awake", GatewayItem.Awake(Silo, 3, "/s", 5, 4)),
        Of("GatewayItem, removed", GatewayItem.Removed(Silo, 4, "/s", 5)),
        Of("GatewayItem, heartbeat", GatewayItem.Heartbeat(Silo, 4, 6, [Silo]) with { IsStoreAway = true }),
        Of("QuestionState", Question),
        Of("QuestionState, open", QuestionState.From(new Question("q", "why", Time) { Gateway = "g", Connection = "c", IsOrphanable = true })),
        Of("SessionRecord", new SessionRecord
        {
            Epoch = 5,
            First = 2,
            Head = 3,
            OldestSeq = 2,
            UsedAt = Time,
            Born = 4,
            Writer = 6,
            Write = 7,
            FirstPage = 8,
            Pages = PageIndexForm.Write([new(8, [1, -2], 300)]),
            NextChunk = 9,
            Questions = [Question],
            IsRemoved = true,
            Ended = [[1, 2]],
        }),
        Of("PageState", new PageState { Born = 4, Ended = [[1, 2]], HasChunks = true }),
        Of("ChunkState", new ChunkState { QuestionId = "q", Text = "bec", Deltas = [3], FirstDeltaAt = Time, Attempt = 2 }),
    ];

    private static StoredForm Of<T>(string name, T value)
        where T : class => new(name, value, serializer => serializer.SerializeToArray(value), (serializer, bytes) => serializer.Deserialize<T>(bytes)!);
}

/// <param name="Write">Gives the bytes of the value.</param>
/// <param name="Read">Gives the value of bytes.</param>
internal sealed record StoredForm(string Name, object Value, Func<Serializer, byte[]> Write, Func<Serializer, byte[], object> Read);
