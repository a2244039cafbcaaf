using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OrleansSessions.Protocol;

/// <summary>Writes server messages as JSON.</summary>
public static class ServerMessageWriter
{
    private static readonly JsonWriterOptions WriterOptions = new()
    {
        // Frames are never part of HTML, so only the escapes that JSON requires are used.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Creates a writer for <see cref="Write"/>. It can be reused after <see cref="Utf8JsonWriter.Reset(IBufferWriter{byte})"/>.</summary>
    public static Utf8JsonWriter CreateWriter(IBufferWriter<byte> output) => new(output, WriterOptions);

    /// <summary>Writes a message as one JSON object, and flushes the writer.</summary>
    public static void Write(Utf8JsonWriter json, ServerMessage message)
    {
        json.WriteStartObject();
        switch (message)
        {
            case DeltaMessage delta: WriteDelta(json, delta); break;
            case AcceptedMessage accepted: WriteAccepted(json, accepted); break;
            case DoneMessage done: WriteDone(json, done); break;
            case BasicResponseMessage response: WriteBasicResponse(json, response); break;
            case ErrorMessage error: WriteError(json, error); break;
            case HelloMessage hello: HelloWriter.Write(json, hello); break;
            case SnapshotMessage snapshot: WriteSnapshot(json, snapshot); break;
            case ResumedMessage resumed: WriteResumed(json, resumed); break;
            case CancellingMessage cancelling: WriteCancelling(json, cancelling); break;
            case ServerPingMessage ping: WritePing(json, ping); break;
            case ReconnectMessage reconnect: WriteReconnect(json, reconnect); break;
            case ExpiringMessage expiring: WriteExpiring(json, expiring); break;
            case AuthenticatedMessage authenticated: WriteAuthenticated(json, authenticated); break;
            case BasicFailureMessage failure: WriteBasicFailure(json, failure); break;
            case OtherEventMessage other: WriteOther(json, other); break;
            default: throw new ArgumentException($"{message.GetType().Name} has no JSON form.", nameof(message));
        }

        json.WriteEndObject();
        json.Flush();
    }

    private static void WriteDelta(Utf8JsonWriter json, DeltaMessage delta)
    {
        json.WriteString("type"u8, "delta"u8);
        json.WriteNumber("seq"u8, delta.Seq);
        if (delta.Count != 1)
        {
            json.WriteNumber("from_seq"u8, delta.FromSeq);
        }

        json.WriteString("question_id"u8, delta.QuestionId);
        json.WriteNumber("index"u8, delta.Index);
        if (delta.Count != 1)
        {
            json.WriteNumber("count"u8, delta.Count);
        }

        json.WriteString("text"u8, delta.Text);
        WriteReplay(json, delta.IsReplay);
    }

    private static void WriteAccepted(Utf8JsonWriter json, AcceptedMessage accepted)
    {
        json.WriteString("type"u8, "accepted"u8);
        json.WriteNumber("seq"u8, accepted.Seq);
        json.WriteString("question_id"u8, accepted.QuestionId);
        json.WriteBoolean("duplicate"u8, accepted.IsDuplicate);
        json.WriteNumber("position"u8, accepted.Position);
        if (accepted.Question is not null)
        {
            json.WriteString("question"u8, accepted.Question);
        }

        WriteReplay(json, accepted.IsReplay);
    }

    private static void WriteDone(Utf8JsonWriter json, DoneMessage done)
    {
        json.WriteString("type"u8, "done"u8);
        json.WriteNumber("seq"u8, done.Seq);
        json.WriteString("question_id"u8, done.QuestionId);
        WriteEnd(json, done.End);
        WriteReplay(json, done.IsReplay);
    }

    /// <summary>Writes the fields of <c>done</c> into the current object. HTTP responses and the snapshots of ended questions contain them too.</summary>
    public static void WriteEnd(Utf8JsonWriter json, QuestionEnd end)
    {
        json.WriteString("status"u8, end.Status.ToWire());
        WriteStringOrNull(json, "reason"u8, end.Reason);
        WriteStringOrNull(json, "message"u8, end.Message);
        json.WriteBoolean("retryable"u8, end.IsRetryable);
        WriteNumberIfAny(json, "retry_after_ms"u8, end.RetryAfterMs);
        json.WriteNumber("deltas"u8, end.Deltas);
        json.WriteNumber("bytes"u8, end.Bytes);
        if (end.FirstMs is { } firstMs)
        {
            json.WriteNumber("first_ms"u8, firstMs);
        }
        else
        {
            json.WriteNull("first_ms"u8);
        }

        json.WriteNumber("total_ms"u8, end.TotalMs);
    }

    private static void WriteOther(Utf8JsonWriter json, OtherEventMessage other)
    {
        json.WriteString("type"u8, other.Type);
        json.WriteNumber("seq"u8, other.Seq);
        json.WriteString("question_id"u8, other.QuestionId);
        if (other.BodyJson is { } body)
        {
            OtherEventBody.Write(json, body);
        }

        WriteReplay(json, other.IsReplay);
    }

    private static void WriteSnapshot(Utf8JsonWriter json, SnapshotMessage snapshot)
    {
        json.WriteString("type"u8, "snapshot"u8);
        json.WriteString("epoch"u8, snapshot.Epoch);
        json.WriteString("question_id"u8, snapshot.QuestionId);
        json.WriteString("text"u8, snapshot.Text);
        if (snapshot.Question is not null)
        {
            json.WriteString("question"u8, snapshot.Question);
        }

        json.WriteNumber("part"u8, snapshot.Part);
        json.WriteNumber("parts"u8, snapshot.Parts);
        if (snapshot.End is { } end)
        {
            WriteEnd(json, end);
        }
        else
        {
            json.WriteNumber("deltas"u8, snapshot.Deltas);
            json.WriteNumber("bytes"u8, snapshot.Bytes);
            json.WriteString("status"u8, snapshot.Status.ToWire());
        }
    }

    private static void WriteResumed(Utf8JsonWriter json, ResumedMessage resumed)
    {
        json.WriteString("type"u8, "resumed"u8);
        json.WriteBoolean("recovered"u8, resumed.IsRecovered);
        WriteStringOrNull(json, "reason"u8, resumed.Reason);
        json.WriteString("epoch"u8, resumed.Epoch);
        json.WriteNumber("to_seq"u8, resumed.ToSeq);
        WriteOpen(json, resumed.Open);
    }

    private static void WriteCancelling(Utf8JsonWriter json, CancellingMessage cancelling)
    {
        json.WriteString("type"u8, "cancelling"u8);
        json.WriteString("question_id"u8, cancelling.QuestionId);
    }

    private static void WriteError(Utf8JsonWriter json, ErrorMessage error)
    {
        json.WriteString("type"u8, "error"u8);
        json.WriteString("message"u8, error.Message);
        json.WriteString("code"u8, error.Error.Code);
        json.WriteBoolean("retryable"u8, error.Error.IsRetryable);
        WriteStringIfAny(json, "param"u8, error.Param);
        WriteNumberIfAny(json, "retry_after_ms"u8, error.RetryAfterMs);
        WriteStringIfAny(json, "question_id"u8, error.QuestionId);
        WriteStringIfAny(json, "active_question_id"u8, error.ActiveQuestionId);
        WriteNumberIfAny(json, "active_for_ms"u8, error.ActiveForMs);
    }

    private static void WritePing(Utf8JsonWriter json, ServerPingMessage ping)
    {
        json.WriteString("type"u8, "ping"u8);
        json.WriteNumber("seq"u8, ping.Seq);
    }

    private static void WriteReconnect(Utf8JsonWriter json, ReconnectMessage reconnect)
    {
        json.WriteString("type"u8, "reconnect"u8);
        json.WriteString("reason"u8, reconnect.Reason);
        json.WriteNumber("delay_ms"u8, reconnect.DelayMs);
    }

    private static void WriteExpiring(Utf8JsonWriter json, ExpiringMessage expiring)
    {
        json.WriteString("type"u8, "expiring"u8);
        json.WriteNumber("in_ms"u8, expiring.InMs);
    }

    private static void WriteAuthenticated(Utf8JsonWriter json, AuthenticatedMessage authenticated)
    {
        json.WriteString("type"u8, "authenticated"u8);
        WriteNumberIfAny(json, "expires_in_ms"u8, authenticated.ExpiresInMs);
    }

    private static void WriteBasicResponse(Utf8JsonWriter json, BasicResponseMessage response)
    {
        json.WriteString("type"u8, "response"u8);
        json.WriteString("data"u8, response.Text);
        json.WriteString("question_id"u8, response.QuestionId);
        json.WriteString("status"u8, response.Status.ToWire());
        WriteStringIfAny(json, "code"u8, response.Code);
    }

    private static void WriteBasicFailure(Utf8JsonWriter json, BasicFailureMessage failure)
    {
        json.WriteString("type"u8, "error"u8);
        json.WriteString("message"u8, failure.Message);
        json.WriteString("code"u8, failure.Code);
        WriteNumberIfAny(json, "retry_after_ms"u8, failure.RetryAfterMs);
        json.WriteString("question_id"u8, failure.QuestionId);
        json.WriteString("status"u8, failure.Status.ToWire());
        json.WriteString("data"u8, failure.Text);
    }

    internal static void WriteOpen(Utf8JsonWriter json, IReadOnlyList<OpenQuestion> open)
    {
        json.WriteStartArray("open"u8);
        foreach (var question in open)
        {
            json.WriteStartObject();
            json.WriteString("question_id"u8, question.QuestionId);
            json.WriteString("state"u8, question.State.ToWire());
            json.WriteNumber("age_ms"u8, question.AgeMs);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteReplay(Utf8JsonWriter json, bool isReplay)
    {
        if (isReplay)
        {
            json.WriteBoolean("replay"u8, true);
        }
    }

    private static void WriteStringOrNull(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, value);
        }
    }

    private static void WriteStringIfAny(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    internal static void WriteNumberIfAny(Utf8JsonWriter json, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }
}
