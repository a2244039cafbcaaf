using System.Text.Json;
using OrleansSessions.Responders.OpenAI.Failures;

namespace OrleansSessions.Responders.OpenAI.Chunks;

/// <summary>
/// Reads the chunks of one answer. It takes what the answer needs and ignores the rest, whatever type it has: servers differ most in the fields that nobody
/// uses.
/// </summary>
internal sealed class ChunkReader(string model)
{
    /// <summary>How deep a field that nobody uses may be.</summary>
    private const int MaxDepth = 1000;

    private static readonly JsonReaderOptions Reading = new()
    {
        AllowMultipleValues = true,
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        MaxDepth = MaxDepth,
    };

    private readonly LenientText _text = new();
    private readonly UsageReader _usage = new(model);
    private bool _hasDeltas;

    private static ReadOnlySpan<byte> Done => "[DONE]"u8;

    private static ReadOnlySpan<byte> WhiteSpace => " \t\r\n"u8;

    /// <summary>Reads the next chunk of an event. Servers that end events with one line break put several into one.</summary>
    /// <param name="data">The data of the event. What has been read is removed.</param>
    /// <returns>False if nothing is left.</returns>
    /// <exception cref="JsonException">The data is not JSON.</exception>
    public bool TryRead(ref ReadOnlyMemory<byte> data, out Chunk chunk)
    {
        chunk = default;
        data = data[^data.Span.TrimStart(WhiteSpace).Length..];
        if (data.IsEmpty)
        {
            return false;
        }

        if (data.Span.StartsWith(Done))
        {
            data = data[Done.Length..];
            chunk = new Chunk { IsLast = true };
            return true;
        }

        using var document = Parse(ref data);
        chunk = Read(document.RootElement);
        return true;
    }

    /// <summary>The text that is left when no more chunks come.</summary>
    public string End() => _text.End();

    private static JsonDocument Parse(ref ReadOnlyMemory<byte> data)
    {
        try
        {
            return ParseFirst(ref data);
        }
        catch (JsonException)
        {
            if (JsonRepair.Repair(data.Span) is not { } repaired)
            {
                throw;
            }

            data = repaired;
            return ParseFirst(ref data);
        }
    }

    private static JsonDocument ParseFirst(ref ReadOnlyMemory<byte> data)
    {
        var reader = new Utf8JsonReader(data.Span, Reading);
        var document = JsonDocument.ParseValue(ref reader);
        data = data[(int)reader.BytesConsumed..];
        return document;
    }

    private Chunk Read(JsonElement root)
    {
        var choices = root.Field("choices");
        var choice = choices is { ValueKind: JsonValueKind.Array } several ? First(several) : null;
        var usage = _usage.Read(root, choice);
        var chunk = new Chunk
        {
            Error = UpstreamError.Find(root) ?? UpstreamError.In(choice?.Field("error") ?? root.Field("x_groq")?.Field("error"), isBesideText: true),
            Usage = usage,
            IsOfCompletion = choices is not null,

            // With `include_usage`, the chunk with the usage and without choices is the last one.
            IsUsageAlone = _hasDeltas && usage is not null && choices is { ValueKind: JsonValueKind.Array } && choice is null,
        };
        return choice is null ? chunk : Read(root, choice.Value, chunk);
    }

    private Chunk Read(JsonElement root, JsonElement choice, Chunk chunk)
    {
        var delta = choice.Field("delta");
        var message = choice.Field("message");

        // Deltas win: some servers repeat the whole answer in a message, beside a delta or after the last one.
        var isDelta = delta is { ValueKind: JsonValueKind.Object } && (_hasDeltas || (message ?? choice.Field("text")) is null || HasText(delta.Value));
        var content = isDelta ? delta!.Value.Field("content")
            : _hasDeltas ? null
            : message is { } whole ? whole.Field("content")
            : choice.Field("text");
        var text = TextOf(content);
        _hasDeltas |= isDelta && text.Length > 0;
        return chunk with
        {
            Text = text,
            FinishReason = FinishReasons.Normalize((choice.Field("finish_reason") ?? choice.Field("finishReason") ?? choice.Field("stop_reason")).AsText()),
            IsRefusal = (delta ?? message)?.Field("refusal").AsText() is { Length: > 0 },
            IsWhole = delta is null && message is not null && !root.Field("object").Is("chat.completion.chunk"),
        };
    }

    /// <summary>The first choice. One answer was asked for, so others are not expected.</summary>
    private static JsonElement? First(JsonElement choices)
    {
        JsonElement? first = null;
        foreach (var choice in choices.EnumerateArray())
        {
            if (choice.ValueKind == JsonValueKind.Object)
            {
                if (choice.Field("index").AsCount() is null or 0)
                {
                    return choice;
                }

                first ??= choice;
            }
        }

        return first;
    }

    private static bool HasText(JsonElement delta) => delta.Field("content") switch
    {
        null => false,
        { ValueKind: JsonValueKind.String } content => !content.ValueEquals(""),
        _ => true,
    };

    /// <summary>The text of a content: a string, or a list of parts of which only text counts. A part with a model's thoughts is none.</summary>
    private string TextOf(JsonElement? content) => content switch
    {
        { ValueKind: JsonValueKind.String } text => _text.Read(text),
        { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
        { ValueKind: JsonValueKind.Array } parts => string.Concat(parts.EnumerateArray().Select(TextOfPart)),
        { ValueKind: JsonValueKind.Object } part => TextOfPart(part),
        _ => "",
    };

    private string TextOfPart(JsonElement part) => part switch
    {
        { ValueKind: JsonValueKind.String } text => _text.Read(text),
        _ when part.Field("type").AsText() is not (null or "text" or "output_text") => "",
        _ when part.Field("text") is { ValueKind: JsonValueKind.String } text => _text.Read(text),
        _ => "",
    };
}
