using System.Text;
using System.Text.Json;
using OrleansSessions.Protocol;

namespace OrleansSessions.Fuzz.Messages;

/// <summary>What <c>System.Text.Json</c> makes of an input, to compare the parsers with.</summary>
internal sealed class JsonReference : IDisposable
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    private readonly JsonDocument? _document;

    private JsonReference(JsonDocument? document) => _document = document;

    /// <summary>True for one JSON object without a field that occurs twice, and nothing else.</summary>
    public bool IsObject => _document?.RootElement.ValueKind == JsonValueKind.Object;

    public static JsonReference Of(byte[] input)
    {
        try
        {
            return new(JsonDocument.Parse(input, Strict));
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // The second one is thrown for a field's name with half of a surrogate pair.
            return new(null);
        }
    }

    /// <summary>The string in this field, or null if there is none or something else.</summary>
    public string? String(string field) => Field(field) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public long? Number(string field) => Field(field) is { ValueKind: JsonValueKind.Number } value ? value.GetInt64() : null;

    /// <summary>The text of an object that has fields, or null.</summary>
    public string? Object(string field) =>
        Field(field) is { ValueKind: JsonValueKind.Object } value && value.EnumerateObject().Any() ? value.GetRawText() : null;

    public void Dispose() => _document?.Dispose();

    /// <summary>Returns what is wrong with a refusal, or null.</summary>
    /// <param name="codes">The codes that the parser may use.</param>
    public string? FindFault(ErrorMessage refusal, params WireError[] codes)
    {
        const int MaxMessageBytes = 1024;
        const int MaxParamChars = 64;
        return !codes.Contains(refusal.Error) ? $"it is refused as {refusal.Error.Code}"
            : refusal.Message.Length == 0 || Encoding.UTF8.GetByteCount(refusal.Message) > MaxMessageBytes ? "the refusal's message is empty or too long"
            : !IsWellFormed(refusal.Message) || !IsWellFormed(refusal.Param) ? "the refusal contains half of a surrogate pair"
            : refusal.Param?.Length > MaxParamChars ? "the refusal's param is too long"
            : refusal.QuestionId is { } id && !Identifiers.IsQuestionId(id) ? "the refusal's question id is not valid"
            : refusal.Param is null && IsObject ? $"a JSON object is refused as malformed: {refusal.Message}"
            : null;
    }

    public static bool IsWellFormed(string? text)
    {
        for (var rest = text.AsSpan(); rest.Length > 0;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var chars) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            rest = rest[chars..];
        }

        return true;
    }

    private JsonElement? Field(string name) => IsObject && _document!.RootElement.TryGetProperty(name, out var value) ? value : null;
}
