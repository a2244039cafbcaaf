using System.Text.Json;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Frames;

/// <summary>The fields of one JSON object. A field that is null counts as absent.</summary>
internal static class JsonFields
{
    private static readonly Dictionary<string, QuestionStatus> Statuses = Enum.GetValues<QuestionStatus>().ToDictionary(static status => status.ToWire());

    /// <summary>A status that this version does not know. It counts as open.</summary>
    private const QuestionStatus UnknownStatus = (QuestionStatus)(-1);

    public static JsonElement? Find(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(this JsonElement json, string name) => json.Find(name)?.GetString();

    public static string NeedText(this JsonElement json, string name) => json.Text(name) ?? throw Missing(name);

    public static long? Number(this JsonElement json, string name) => json.Find(name)?.GetInt64();

    public static long NeedNumber(this JsonElement json, string name) => json.Number(name) ?? throw Missing(name);

    public static bool Flag(this JsonElement json, string name) => json.Find(name)?.GetBoolean() ?? false;

    public static TimeSpan? Milliseconds(this JsonElement json, string name) => json.Number(name) is { } number ? TimeSpan.FromMilliseconds(number) : null;

    public static QuestionStatus ToStatus(string text) => Statuses.GetValueOrDefault(text, UnknownStatus);

    /// <summary>Reads the fields of <c>done</c>.</summary>
    public static QuestionEnd ReadEnd(this JsonElement json, QuestionStatus status) => new()
    {
        Status = status,
        Reason = json.Text("reason"),
        Message = json.Text("message"),
        IsRetryable = json.Flag("retryable"),
        RetryAfterMs = json.Number("retry_after_ms"),
        Deltas = (int)json.NeedNumber("deltas"),
        Bytes = json.NeedNumber("bytes"),
        FirstMs = json.Number("first_ms"),
        TotalMs = json.Number("total_ms") ?? 0,
    };

    private static ServerFrameException Missing(string name) => new($"The server sent an object without '{name}'.");
}
