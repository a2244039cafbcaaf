using System.Text.Json;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>Short ways to look into a frame.</summary>
public static class FrameElements
{
    public static string? Type(this JsonElement frame) => frame.Text("type");

    /// <summary>A string field, or null where it is absent or null.</summary>
    public static string? Text(this JsonElement frame, string field) =>
        frame.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A number field, or null where it is absent or null.</summary>
    public static long? Number(this JsonElement frame, string field) =>
        frame.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;

    /// <summary>True only where the field is there and true.</summary>
    public static bool Flag(this JsonElement frame, string field) => frame.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.True;
}
