using System.Text.Json;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Servers;

/// <summary>The fields that each frame of a server must have, with their types, from section 4.</summary>
internal static class FrameForms
{
    private const string Ended = "status:text reason:text? message:text? retryable:flag deltas:number bytes:number first_ms:number? total_ms:number";

    private static readonly Dictionary<string, (string Name, string Kind)[]> Fields = new Dictionary<string, string>
    {
        ["hello"] = "protocol:text session:text connection:text responder:text epoch:text seq:number open:list resuming:flag durability:text resume:object "
            + "heartbeat_ms:number limits:object reconnect:object features:list",
        ["accepted"] = "seq:number question_id:text duplicate:flag position:number",
        ["delta"] = "seq:number question_id:text index:number text:text",
        ["done"] = $"seq:number question_id:text {Ended}",
        ["snapshot"] = "epoch:text question_id:text text:text part:number parts:number deltas:number bytes:number status:text",
        ["resumed"] = "recovered:flag reason:text? epoch:text to_seq:number open:list",
        ["cancelling"] = "question_id:text",
        ["error"] = "message:text code:text retryable:flag",
        ["ping"] = "seq:number",
        ["expiring"] = "in_ms:number",
        ["authenticated"] = "",
        ["reconnect"] = "reason:text delay_ms:number",
    }.ToDictionary(pair => pair.Key, pair => Split(pair.Value));

    private static readonly (string Name, string Kind)[] FinalFields = Split(Ended);

    /// <summary>Holds a v1 frame against section 4. A frame of an unknown type is allowed, because version 1 grows.</summary>
    public static void Hold(Frame frame)
    {
        Check.That(frame.Type is not null, "a frame with a type", frame);
        foreach (var (name, kind) in Fields.GetValueOrDefault(frame.Type!, []))
        {
            Expect(frame, name, kind);
        }

        if (frame.Type == "snapshot" && IsFinal(frame.Text("status")))
        {
            foreach (var (name, kind) in FinalFields)
            {
                Expect(frame, name, kind);
            }
        }

        if (frame.Has("replay"))
        {
            Check.That(frame.Flag("replay") == true, "'replay' that is true or absent", frame);
        }
    }

    public static bool IsFinal(string? status) => status is "completed" or "incomplete" or "cancelled" or "failed" or "timeout";

    private static void Expect(Frame frame, string name, string kind)
    {
        var isThere = frame.Element.TryGetProperty(name, out var value);
        var holds = isThere && (kind.EndsWith('?') && value.ValueKind == JsonValueKind.Null || kind.TrimEnd('?') switch
        {
            "text" => value.ValueKind == JsonValueKind.String,
            "number" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 && number < 1L << 53,
            "flag" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "list" => value.ValueKind == JsonValueKind.Array,
            _ => value.ValueKind == JsonValueKind.Object,
        });
        Check.That(holds, $"the field '{name}' of '{frame.Type}' ({kind})", frame);
    }

    private static (string Name, string Kind)[] Split(string fields) =>
        [.. fields.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(field => field.Split(':')).Select(parts => (parts[0], parts[1]))];
}
