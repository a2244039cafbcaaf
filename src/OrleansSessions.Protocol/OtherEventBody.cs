using System.Text.Json;

namespace OrleansSessions.Protocol;

/// <summary>Writes the JSON of an event whose kind this version does not know.</summary>
internal static class OtherEventBody
{
    /// <summary>Writes the members of an object, except those that the frame itself has: a duplicate field would make the frame invalid.</summary>
    public static void Write(Utf8JsonWriter json, string body)
    {
        using var parsed = TryParse(body);
        if (parsed?.RootElement.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (var member in parsed.RootElement.EnumerateObject())
        {
            if (!(member.NameEquals("type"u8) || member.NameEquals("seq"u8) || member.NameEquals("question_id"u8) || member.NameEquals("replay"u8)))
            {
                member.WriteTo(json);
            }
        }
    }

    /// <summary>Returns null if the text is not JSON. The frame is then sent without it, because its number must be sent.</summary>
    private static JsonDocument? TryParse(string body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
