using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrleansSessions.Conformance.Clients;

/// <summary>The frames that the scripted server sends, in the form of section 4.</summary>
internal static class ServerFrames
{
    public const string Epoch = "e1";
    public const int MinMs = 20;
    public const int MaxMs = 60;

    // As they are, not escaped: a client must read 4-byte characters.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Hello(
        long seq = 0, string[]? open = null, bool resuming = false, string epoch = Epoch, int heartbeatMs = 25_000, string connection = "c-1") => Write(new()
        {
            ["type"] = "hello",
            ["protocol"] = "sessions.v1",
            ["session"] = "scripted",
            ["connection"] = connection,
            ["responder"] = "scripted",
            ["epoch"] = epoch,
            ["seq"] = seq,
            ["open"] = Open(open),
            ["resuming"] = resuming,
            ["durability"] = "memory",
            ["resume"] = new JsonObject { ["ttl_ms"] = 86_400_000, ["oldest_seq"] = 1 },
            ["heartbeat_ms"] = heartbeatMs,
            ["limits"] = new JsonObject { ["message_bytes"] = 65_536, ["question_bytes"] = 32_768, ["messages_per_minute"] = 6_000 },
            ["reconnect"] = new JsonObject { ["min_ms"] = MinMs, ["max_ms"] = MaxMs },
            ["features"] = new JsonArray("cancel", "queue", "replace", "auth", "reconnect"),
        });

    public static string Resumed(long toSeq, string[]? open = null, string? reason = null, string epoch = Epoch) => Write(new()
    {
        ["type"] = "resumed",
        ["recovered"] = reason is null,
        ["reason"] = reason,
        ["epoch"] = epoch,
        ["to_seq"] = toSeq,
        ["open"] = Open(open),
    });

    public static string Accepted(
        long seq, string id = "q-1", string? question = null, int position = 0, bool duplicate = false, bool replay = false)
    {
        var frame = new JsonObject
        {
            ["type"] = "accepted",
            ["seq"] = seq,
            ["question_id"] = id,
            ["duplicate"] = duplicate,
            ["position"] = position,
        };
        return Write(WithReplay(question is null ? frame : With(frame, "question", question), replay));
    }

    public static string Delta(long seq, int index, string text, string id = "q-1", int count = 1, bool replay = false)
    {
        var frame = new JsonObject { ["type"] = "delta", ["seq"] = seq, ["question_id"] = id, ["index"] = index, ["text"] = text };
        if (count > 1)
        {
            frame["from_seq"] = seq - count + 1;
            frame["count"] = count;
        }

        return Write(WithReplay(frame, replay));
    }

    public static string Done(
        long seq, int deltas, string text, string id = "q-1", string status = "completed", string? reason = null, bool replay = false,
        long? retryAfterMs = null)
    {
        var frame = new JsonObject { ["type"] = "done", ["seq"] = seq, ["question_id"] = id };
        return Write(WithReplay(WithEnd(frame, status, reason, deltas, text, retryAfterMs), replay));
    }

    /// <param name="status">Where the question is; a final one adds the fields of <c>done</c>.</param>
    public static string Snapshot(
        int deltas, string text, string id = "q-1", string status = "answering", string epoch = Epoch, string? reason = null, int part = 1, int parts = 1,
        string? whole = null)
    {
        var frame = new JsonObject
        {
            ["type"] = "snapshot",
            ["epoch"] = epoch,
            ["question_id"] = id,
            ["text"] = text,
            ["question"] = "Say hello to all",
            ["part"] = part,
            ["parts"] = parts,
        };
        if (status is "queued" or "accepted" or "answering" or "recovering")
        {
            frame["deltas"] = deltas;
            frame["bytes"] = Encoding.UTF8.GetByteCount(whole ?? text);
            frame["status"] = status;
            return Write(frame);
        }

        return Write(WithEnd(frame, status, reason, deltas, whole ?? text, null));
    }

    /// <summary>A question as <c>GET questions/{id}</c> returns it.</summary>
    public static string Stored(string state, int deltas, string text, string id = "q-1", string? reason = null)
    {
        var body = new JsonObject
        {
            ["question_id"] = id,
            ["question"] = "Say hello to all",
            ["state"] = state,
            ["text"] = text,
            ["deltas"] = deltas,
            ["bytes"] = Encoding.UTF8.GetByteCount(text),
            ["epoch"] = Epoch,
            ["accepted_seq"] = 1,
            ["position"] = 0,
            ["attempt"] = 1,
            ["asked_at"] = "2026-01-02T03:04:05+00:00",
        };
        if (state is not ("queued" or "accepted" or "answering" or "recovering"))
        {
            body["done_seq"] = 9;
            body["status"] = state;
            body["retryable"] = false;
            body["first_ms"] = 1;
            body["total_ms"] = 2;
            if (reason is not null)
            {
                body["reason"] = reason;
                body["message"] = "Said by the case.";
            }
        }

        return Write(body);
    }

    public static string Error(string code, bool retryable, string? id = null, params (string Name, JsonNode Value)[] more)
    {
        var frame = new JsonObject { ["type"] = "error", ["message"] = "Refused by the case.", ["code"] = code, ["retryable"] = retryable };
        if (id is not null)
        {
            frame["question_id"] = id;
        }

        foreach (var (name, value) in more)
        {
            frame[name] = value;
        }

        return Write(frame);
    }

    private static JsonObject WithEnd(JsonObject frame, string status, string? reason, int deltas, string text, long? retryAfterMs)
    {
        frame["status"] = status;
        frame["reason"] = reason;
        frame["message"] = reason is null ? null : "Said by the case.";
        frame["retryable"] = retryAfterMs is not null;
        if (retryAfterMs is not null)
        {
            frame["retry_after_ms"] = retryAfterMs;
        }

        frame["deltas"] = deltas;
        frame["bytes"] = Encoding.UTF8.GetByteCount(text);
        frame["first_ms"] = 1;
        frame["total_ms"] = 2;
        return frame;
    }

    private static JsonObject With(JsonObject frame, string name, JsonNode value)
    {
        frame[name] = value;
        return frame;
    }

    private static JsonObject WithReplay(JsonObject frame, bool isReplay) => isReplay ? With(frame, "replay", true) : frame;

    private static JsonArray Open(string[]? ids) =>
        [.. (ids ?? []).Select(id => new JsonObject { ["question_id"] = id, ["state"] = "answering", ["age_ms"] = 5 })];

    private static string Write(JsonObject frame) => frame.ToJsonString(Plain);
}
