using System.Text.Json;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Frames;

/// <summary>Reads the frames of a v1 socket. Fields that this version does not know are ignored.</summary>
internal static class ServerFrameReader
{
    private const int DefaultHeartbeatMs = 25_000;
    private const int DefaultReconnectMinMs = 250;
    private const int DefaultReconnectMaxMs = 15_000;

    /// <summary>Reads one frame.</summary>
    /// <exception cref="ServerFrameException">It is not a frame of this protocol.</exception>
    public static ServerFrame Read(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            return Read(document.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException and not ServerFrameException)
        {
            throw new ServerFrameException($"The server sent a frame that is not of this protocol: {fault.Message}", fault);
        }
    }

    private static ServerFrame Read(JsonElement json)
    {
        var message = json.NeedText("type") switch
        {
            "hello" => ReadHello(json),
            "accepted" => new AcceptedMessage(
                json.NeedNumber("seq"), json.NeedText("question_id"), json.Flag("duplicate"), (int)(json.Number("position") ?? 0), json.Text("question"),
                json.Flag("replay")),
            "delta" => new DeltaMessage(
                json.NeedNumber("seq"), json.NeedText("question_id"), (int)json.NeedNumber("index"), (int)(json.Number("count") ?? 1), json.NeedText("text"),
                json.Flag("replay")),
            "done" => new DoneMessage(
                json.NeedNumber("seq"), json.NeedText("question_id"), json.ReadEnd(JsonFields.ToStatus(json.NeedText("status"))), json.Flag("replay")),
            "snapshot" => ReadSnapshot(json),
            "resumed" => new ResumedMessage(json.Flag("recovered"), json.Text("reason"), json.NeedText("epoch"), json.NeedNumber("to_seq"), ReadOpen(json)),
            "cancelling" => new CancellingMessage(json.NeedText("question_id")),
            "error" => ReadError(json),
            "ping" => new ServerPingMessage(json.NeedNumber("seq")),
            "expiring" => new ExpiringMessage(json.Number("in_ms") ?? 0),
            "authenticated" => new AuthenticatedMessage(json.Number("expires_in_ms")),
            "reconnect" => new ReconnectMessage(json.Text("reason") ?? "", json.Number("delay_ms") ?? 0),
            _ => (ServerMessage?)null,
        };

        // The seq of hello and ping only states a position.
        var seq = message is HelloMessage or ServerPingMessage ? null : json.Number("seq");
        return new(message, seq, json.Number("from_seq") ?? seq ?? 0, json.Flag("replay"), json.Flag("duplicate"));
    }

    private static HelloMessage ReadHello(JsonElement json)
    {
        var reconnect = json.Find("reconnect");
        var limits = json.Find("limits");
        return new()
        {
            Session = json.Text("session") ?? "",
            Connection = json.Text("connection") ?? "",
            Responder = json.Text("responder") ?? "",
            Epoch = json.NeedText("epoch"),
            Seq = json.NeedNumber("seq"),
            Open = ReadOpen(json),
            IsResuming = json.Flag("resuming"),
            HeartbeatMs = json.Number("heartbeat_ms") is { } heartbeat and > 0 ? (int)heartbeat : DefaultHeartbeatMs,
            MaxMessageBytes = (int)(limits?.Number("message_bytes") ?? int.MaxValue),
            MaxQuestionBytes = (int)(limits?.Number("question_bytes") ?? int.MaxValue),
            ReconnectMinMs = (int)(reconnect?.Number("min_ms") ?? DefaultReconnectMinMs),
            ReconnectMaxMs = (int)(reconnect?.Number("max_ms") ?? DefaultReconnectMaxMs),
        };
    }

    private static OpenQuestion[] ReadOpen(JsonElement json) => json.Find("open") is not { } open
        ? []
        : [.. open.EnumerateArray().Select(static item => new OpenQuestion(
            item.NeedText("question_id"), JsonFields.ToStatus(item.Text("state") ?? ""), item.Number("age_ms") ?? 0))];

    private static SnapshotMessage ReadSnapshot(JsonElement json)
    {
        var status = JsonFields.ToStatus(json.NeedText("status"));
        return new()
        {
            Epoch = json.NeedText("epoch"),
            QuestionId = json.NeedText("question_id"),
            Question = json.Text("question"),
            Text = json.NeedText("text"),
            Part = (int)(json.Number("part") ?? 1),
            Parts = (int)(json.Number("parts") ?? 1),
            Deltas = (int)json.NeedNumber("deltas"),
            Bytes = json.Number("bytes") ?? 0,
            Status = status,
            End = status.IsFinal() ? json.ReadEnd(status) : null,
        };
    }

    private static ErrorMessage ReadError(JsonElement json)
    {
        var (code, retryable, message) = (json.NeedText("code"), json.Flag("retryable"), json.Text("message") ?? "");
        var row = WireErrors.Find(code);
        var error = row is not null && row.IsRetryable == retryable ? row : new WireError(code, row?.HttpStatus ?? 0, retryable, row?.CloseCode, message);
        return new(error, message, json.Text("question_id"), json.Text("param"), json.Number("retry_after_ms"))
        {
            ActiveQuestionId = json.Text("active_question_id"),
            ActiveForMs = json.Number("active_for_ms"),
        };
    }
}
