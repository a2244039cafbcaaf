using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Frames;

/// <summary>Writes the frames of a client.</summary>
internal static class ClientFrames
{
    // Frames are never part of HTML, so only the escapes that JSON requires are used.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Question(string id, string question, IfBusy ifBusy, JsonObject? options, JsonObject? metadata) => Write("question", json =>
    {
        json.WriteString("id"u8, id);
        json.WriteString("question"u8, question);
        if (ifBusy != IfBusy.Reject)
        {
            json.WriteString("if_busy"u8, ifBusy == IfBusy.Queue ? "queue"u8 : "replace"u8);
        }

        WriteObject(json, "options", options);
        WriteObject(json, "metadata", metadata);
    });

    /// <summary>Cancels a question; without an id, the running one.</summary>
    public static byte[] Cancel(string? id) => Write("cancel", json =>
    {
        if (id is not null)
        {
            json.WriteString("question_id"u8, id);
        }
    });

    public static byte[] Resume(string epoch, long afterSeq) => Write("resume", json =>
    {
        json.WriteString("epoch"u8, epoch);
        json.WriteNumber("after_seq"u8, afterSeq);
    });

    public static byte[] Auth(string token) => Write("auth", json => json.WriteString("token"u8, token));

    public static byte[] Pong(long seq) => Write("pong", json => json.WriteNumber("seq"u8, seq));

    private static void WriteObject(Utf8JsonWriter json, string name, JsonObject? value)
    {
        if (value is not null)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    private static byte[] Write(string type, Action<Utf8JsonWriter> writeFields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            writeFields(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
