using System.Text.Json;

namespace OrleansSessions.Conformance.Wire;

/// <summary>One JSON object: a frame of the socket, a body of HTTP, or a line of a client program.</summary>
internal sealed class Frame
{
    private readonly JsonElement _object;

    private Frame(string json, JsonElement element)
    {
        Json = json;
        _object = element;
    }

    public string Json { get; }

    public string? Type => Text("type");

    public string? QuestionId => Text("question_id");

    public JsonElement Element => _object;

    /// <exception cref="JsonException">The text is not one JSON object.</exception>
    public static Frame Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? new(json, document.RootElement.Clone())
            : throw new JsonException($"Not a JSON object: {json}");
    }

    public bool Has(string name) => _object.TryGetProperty(name, out _);

    /// <summary>Returns the field, or null if it is absent or not a string.</summary>
    public string? Text(string name) => _object.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Returns the field, or null if it is absent or not a whole number.</summary>
    public long? Number(string name) =>
        _object.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    /// <summary>Returns the field, or null if it is absent or neither true nor false.</summary>
    public bool? Flag(string name) =>
        _object.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    /// <summary>Returns the objects in an array, or none if the field is absent.</summary>
    public IReadOnlyList<Frame> List(string name) =>
        _object.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(each => Parse(each.GetRawText()))] : [];

    /// <summary>Returns the object in a field, or null.</summary>
    public Frame? Inner(string name) =>
        _object.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? Parse(value.GetRawText()) : null;

    public override string ToString() => Json;
}
