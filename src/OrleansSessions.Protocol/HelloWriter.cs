using System.Text.Json;

namespace OrleansSessions.Protocol;

/// <summary>Writes the first frame of a socket, which says what applies to it.</summary>
internal static class HelloWriter
{
    public static void Write(Utf8JsonWriter json, HelloMessage hello)
    {
        json.WriteString("type"u8, "hello"u8);
        json.WriteString("protocol"u8, "sessions.v1"u8);
        json.WriteString("session"u8, hello.Session);
        json.WriteString("connection"u8, hello.Connection);
        json.WriteString("responder"u8, hello.Responder);
        json.WriteString("epoch"u8, hello.Epoch);
        json.WriteNumber("seq"u8, hello.Seq);
        ServerMessageWriter.WriteOpen(json, hello.Open);
        json.WriteBoolean("resuming"u8, hello.IsResuming);
        json.WriteString("durability"u8, hello.IsStored ? "stored"u8 : "memory"u8);
        json.WriteStartObject("resume"u8);
        json.WriteNumber("ttl_ms"u8, hello.ResumeTtlMs);
        json.WriteNumber("oldest_seq"u8, hello.OldestSeq);
        json.WriteEndObject();
        json.WriteNumber("heartbeat_ms"u8, hello.HeartbeatMs);
        json.WriteStartObject("limits"u8);
        json.WriteNumber("message_bytes"u8, hello.MaxMessageBytes);
        json.WriteNumber("question_bytes"u8, hello.MaxQuestionBytes);
        ServerMessageWriter.WriteNumberIfAny(json, "messages_per_minute"u8, hello.Limits.MessagesPerMinute);
        ServerMessageWriter.WriteNumberIfAny(json, "sockets"u8, hello.Limits.Sockets);
        ServerMessageWriter.WriteNumberIfAny(json, "open_questions"u8, hello.Limits.OpenQuestions);
        ServerMessageWriter.WriteNumberIfAny(json, "asks_per_minute"u8, hello.Limits.AsksPerMinute);
        ServerMessageWriter.WriteNumberIfAny(json, "sessions"u8, hello.Limits.Sessions);
        json.WriteEndObject();
        ServerMessageWriter.WriteNumberIfAny(json, "token_expires_in_ms"u8, hello.TokenExpiresInMs);
        json.WriteStartObject("reconnect"u8);
        json.WriteNumber("min_ms"u8, hello.ReconnectMinMs);
        json.WriteNumber("max_ms"u8, hello.ReconnectMaxMs);
        json.WriteEndObject();
        json.WriteStartArray("features"u8);
        foreach (var feature in hello.Features)
        {
            json.WriteStringValue(feature);
        }

        json.WriteEndArray();
    }
}
