using System.Buffers;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;

namespace OrleansSessions.Benchmarks.Peers;

/// <summary>Writes the frames of the protocol for an answer that repeats its question.</summary>
internal static class PeerAnswers
{
    private static readonly ObjectPool<Frame> Frames = ObjectPool.Create<Frame>();
    private static long _questions;

    /// <summary>The basic profile: one frame.</summary>
    public static async Task SendWholeAsync(WebSocket socket, string question, CancellationToken aborted)
    {
        var frame = Frames.Get();
        var json = frame.Begin("response"u8);
        json.WriteString("data"u8, question);
        json.WriteString("question_id"u8, NextQuestionId());
        json.WriteString("status"u8, "completed"u8);
        await frame.SendAsync(socket, aborted);
        Frames.Return(frame);
    }

    /// <summary>Version 1: accepted, one delta per word, done.</summary>
    public static async Task SendPiecesAsync(WebSocket socket, string question, CancellationToken aborted)
    {
        var frame = Frames.Get();
        var id = NextQuestionId();
        var json = frame.Begin("accepted"u8);
        json.WriteNumber("seq"u8, 1);
        json.WriteString("question_id"u8, id);
        json.WriteBoolean("duplicate"u8, false);
        json.WriteNumber("position"u8, 0);
        await frame.SendAsync(socket, aborted);

        var pieces = 0;
        foreach (var word in Words.Of(question))
        {
            json = frame.Begin("delta"u8);
            json.WriteNumber("seq"u8, pieces + 2);
            json.WriteString("question_id"u8, id);
            json.WriteNumber("index"u8, pieces++);
            json.WriteString("text"u8, word);
            await frame.SendAsync(socket, aborted);
        }

        WriteDone(frame.Begin("done"u8), id, pieces, Encoding.UTF8.GetByteCount(question));
        await frame.SendAsync(socket, aborted);
        Frames.Return(frame);
    }

    public static async Task SendHelloAsync(WebSocket socket, CancellationToken aborted)
    {
        var frame = Frames.Get();
        var json = frame.Begin("hello"u8);
        json.WriteString("protocol"u8, "sessions.v1"u8);
        json.WriteString("epoch"u8, "e1"u8);
        json.WriteNumber("seq"u8, 0);
        await frame.SendAsync(socket, aborted);
        Frames.Return(frame);
    }

    private static void WriteDone(Utf8JsonWriter json, string id, int pieces, int bytes)
    {
        json.WriteNumber("seq"u8, pieces + 2);
        json.WriteString("question_id"u8, id);
        json.WriteString("status"u8, "completed"u8);
        json.WriteNull("reason"u8);
        json.WriteNull("message"u8);
        json.WriteBoolean("retryable"u8, false);
        json.WriteNumber("deltas"u8, pieces);
        json.WriteNumber("bytes"u8, bytes);
        json.WriteNumber("first_ms"u8, 0);
        json.WriteNumber("total_ms"u8, 0);
    }

    private static string NextQuestionId() => string.Create(CultureInfo.InvariantCulture, $"q-{Interlocked.Increment(ref _questions):x}");

    /// <summary>A reused buffer with a writer. Only one answer uses it at a time.</summary>
    private sealed class Frame : IDisposable
    {
        private readonly ArrayBufferWriter<byte> _bytes = new(512);
        private readonly Utf8JsonWriter _json;

        public Frame() => _json = new Utf8JsonWriter(
            _bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

        public void Dispose() => _json.Dispose();

        public Utf8JsonWriter Begin(ReadOnlySpan<byte> type)
        {
            _bytes.ResetWrittenCount();
            _json.Reset();
            _json.WriteStartObject();
            _json.WriteString("type"u8, type);
            return _json;
        }

        public ValueTask SendAsync(WebSocket socket, CancellationToken aborted)
        {
            _json.WriteEndObject();
            _json.Flush();
            return socket.SendAsync(_bytes.WrittenMemory, WebSocketMessageType.Text, endOfMessage: true, aborted);
        }
    }
}
