using System.Text.Json;

namespace OrleansSessions.Benchmarks.Peers;

/// <summary>Reads <c>question</c> from a frame and skips all other fields.</summary>
internal static class QuestionReader
{
    public static string Read(ReadOnlySpan<byte> frame)
    {
        var json = new Utf8JsonReader(frame);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isQuestion = json.ValueTextEquals("question"u8);
            json.Read();
            if (isQuestion)
            {
                return json.GetString() ?? "";
            }

            json.Skip();
        }

        throw new JsonException("No question in the frame.");
    }
}
