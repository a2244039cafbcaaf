using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace OrleansSessions.Responders.OpenAI.Failures;

/// <summary>Reads fields whose type differs from server to server. What does not fit is null, never an exception.</summary>
internal static class JsonText
{
    /// <summary>The largest whole number that every JSON reader takes.</summary>
    private const long MaxCount = 1L << 53;

    /// <summary>A field of an object; null if the value is no object, or has no such field, or has null there.</summary>
    public static JsonElement? Field(this JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && Find(value, name) is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } field
            ? field
            : null;

    /// <summary>A string, or a number as text.</summary>
    public static string? AsText(this JsonElement? value) => value?.ValueKind switch
    {
        JsonValueKind.String => StringOf(value.Value),
        JsonValueKind.Number => value.Value.GetRawText(),
        _ => null,
    };

    /// <summary>A whole number from 0, also one that is written as a decimal fraction or as a string.</summary>
    public static long? AsCount(this JsonElement? value)
    {
        if (value is { ValueKind: JsonValueKind.Number } count && count.TryGetInt64(out var whole))
        {
            return whole is >= 0 and < MaxCount ? whole : null;
        }

        var isNumber = double.TryParse(value.AsText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
        return isNumber && number is >= 0 and < MaxCount ? (long)number : null;
    }

    /// <summary>True if the value is this text.</summary>
    public static bool Is(this JsonElement? value, string text) => value is { ValueKind: JsonValueKind.String } found && found.ValueEquals(text);

    private static JsonElement Find(JsonElement value, string name)
    {
        try
        {
            return value.TryGetProperty(name, out var field) ? field : default;
        }
        catch (InvalidOperationException)
        {
            // The name of another field has half a surrogate pair.
            var bytes = Encoding.UTF8.GetBytes(name);
            return value.EnumerateObject().LastOrDefault(field => JsonMarshal.GetRawUtf8PropertyName(field).SequenceEqual(bytes)).Value;
        }
    }

    private static string? StringOf(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, or bytes that are not UTF-8.
            return null;
        }
    }
}
