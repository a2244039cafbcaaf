using System.Text.Json;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>Extension methods that read fields of a frame.</summary>
public static class FrameElements
{
    public static string? Type(this JsonElement frame) => frame.Text("type");

    /// <summary>Returns a string field, or null if it is absent or null.</summary>
    public static string? Text(this JsonElement frame, string field) =>
        frame.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Returns a number field, or null if it is absent or null.</summary>
    public static long? Number(this JsonElement frame, string field) =>
        frame.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;

    /// <summary>Returns true only if the field is present and true.</summary>
    public static bool Flag(this JsonElement frame, string field) => frame.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.True;
}
