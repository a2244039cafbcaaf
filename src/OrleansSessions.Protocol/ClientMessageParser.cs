using System.Text;
using System.Text.Json;

namespace OrleansSessions.Protocol;

/// <summary>
/// Turns one text frame into a message, or says why not. It is strict: duplicate keys, wrong types and lone surrogates are refused.
/// It is also lenient where the protocol is: unknown fields are skipped. Thread-safe; allocates only what the message keeps.
/// </summary>
public static class ClientMessageParser
{
    private const int MaxDepth = 32;

    /// <param name="utf8">One whole JSON text, valid UTF-8.</param>
    /// <param name="profile">Which profile's rules choose the message type.</param>
    /// <param name="maxQuestionBytes">The longest question, in UTF-8 bytes.</param>
    public static ParsedMessage Parse(ReadOnlySpan<byte> utf8, WireProfile profile, int maxQuestionBytes)
    {
        Fields fields;
        try
        {
            fields = ReadFields(utf8);
        }
        catch (JsonException fault)
        {
            return Refuse(WireErrors.BadRequest, $"The message is not valid JSON: {fault.Message}");
        }
        catch (RefusalException refused)
        {
            return new(null, refused.Refusal);
        }

        return profile == WireProfile.Basic ? ChooseBasic(fields, maxQuestionBytes) : ChooseV1(fields, maxQuestionBytes);
    }

    private static ParsedMessage ChooseBasic(in Fields fields, int maxQuestionBytes)
    {
        if (fields.Type == "cancel")
        {
            return Cancel(fields);
        }

        if ((fields.Question ?? fields.Content) is { } text)
        {
            return Question(fields, text, maxQuestionBytes);
        }

        return Refuse(
            WireErrors.BadRequest, "A question is an object with a string 'question', or else a string 'content'.", "question", fields.ValidId());
    }

    private static ParsedMessage ChooseV1(in Fields fields, int maxQuestionBytes)
    {
        switch (fields.Type)
        {
            case "question":
            case null when fields.Question is not null:
                return fields.Question is { } text
                    ? Question(fields, text, maxQuestionBytes)
                    : Refuse(WireErrors.BadRequest, "A question needs a string 'question'.", "question", fields.ValidId());
            case "cancel":
                return Cancel(fields);
            case "resume":
                return Resume(fields);
            case "ping":
                return new(new PingMessage(), null);
            case "pong":
                return new(new PongMessage(), null);
            case "auth":
                return Refuse(WireErrors.BadRequest, "This server takes no tokens on the socket.", "type");
            case null:
                return Refuse(WireErrors.BadRequest, "The message has neither a 'type' nor a 'question'.", "type", fields.ValidId());
            default:
                return Refuse(
                    WireErrors.UnknownType, $"The type '{Shorten(fields.Type)}' is unknown; known are question, cancel, resume, ping and pong.",
                    "type", fields.ValidId());
        }
    }

    private static ParsedMessage Question(in Fields fields, string text, int maxQuestionBytes)
    {
        if (fields.Id is { } id && !Identifiers.IsQuestionId(id))
        {
            return Refuse(WireErrors.BadRequest, "A question id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ : @ - and not '.' or '..'.", "id");
        }

        if (text.Length == 0)
        {
            return Refuse(WireErrors.BadRequest, "The question is empty.", "question", fields.Id);
        }

        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > maxQuestionBytes)
        {
            return Refuse(
                WireErrors.QuestionTooLarge, $"The question has {bytes} bytes; at most {maxQuestionBytes} are allowed.", "question", fields.Id);
        }

        IfBusy ifBusy;
        switch (fields.IfBusy)
        {
            case null or "reject": ifBusy = IfBusy.Reject; break;
            case "queue": ifBusy = IfBusy.Queue; break;
            case "replace": ifBusy = IfBusy.Replace; break;
            default:
                return Refuse(
                    WireErrors.BadRequest, $"'if_busy' is 'reject', 'queue' or 'replace', not '{Shorten(fields.IfBusy)}'.", "if_busy", fields.Id);
        }

        return new(new QuestionMessage(fields.Id, text, ifBusy, fields.MetadataJson), null);
    }

    private static ParsedMessage Cancel(in Fields fields) =>
        fields.QuestionId is { } id && !Identifiers.IsQuestionId(id)
            ? Refuse(WireErrors.BadRequest, "'question_id' is not a question id.", "question_id")
            : new(new CancelMessage(fields.QuestionId), null);

    private static ParsedMessage Resume(in Fields fields)
    {
        if (fields.Epoch is null)
        {
            return Refuse(WireErrors.BadRequest, "A resume needs the string 'epoch'.", "epoch");
        }

        return fields.AfterSeq is >= 0 and < (1L << 53)
            ? new(new ResumeMessage(fields.Epoch, fields.AfterSeq.Value), null)
            : Refuse(WireErrors.BadRequest, "A resume needs 'after_seq', a whole number from 0 to 2^53 - 1.", "after_seq");
    }

    private static ParsedMessage Refuse(WireError error, string message, string? param = null, string? questionId = null) =>
        new(null, new MessageRefusal(error, message, param, questionId));

    private static string Shorten(string value) => value.Length <= 40 ? value : string.Concat(value.AsSpan(0, 40), "...");

    /// <summary>One pass over the object: the known fields with their types checked, the others only for being well-formed and unique.</summary>
    private static Fields ReadFields(ReadOnlySpan<byte> utf8)
    {
        var json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            throw new RefusalException(new(WireErrors.BadRequest, "The message is not a JSON object."));
        }

        var fields = default(Fields);
        var seen = default(SeenNames);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = ReadText(ref json, "a field's name", fields);
            if (!seen.Add(name))
            {
                throw new RefusalException(new(WireErrors.BadRequest, $"The field '{Shorten(name)}' stands twice.", Shorten(name), fields.ValidId()));
            }

            json.Read();
            switch (name)
            {
                case "type": fields.Type = ReadString(ref json, name, fields); break;
                case "id": fields.Id = ReadString(ref json, name, fields); break;
                case "question_id": fields.QuestionId = ReadString(ref json, name, fields); break;
                case "question": fields.Question = ReadString(ref json, name, fields); break;
                case "content": fields.Content = ReadLenientString(ref json, fields); break;
                case "if_busy": fields.IfBusy = ReadString(ref json, name, fields); break;
                case "epoch": fields.Epoch = ReadString(ref json, name, fields); break;
                case "after_seq": fields.AfterSeq = ReadNumber(ref json, name, fields); break;
                case "metadata": fields.MetadataJson = ReadObject(ref json, utf8, name, fields); break;
                default: SkipUnknown(ref json, fields); break;
            }
        }

        // The reader throws on anything after the object.
        json.Read();
        return fields;
    }

    private static string? ReadString(ref Utf8JsonReader json, string name, in Fields fields)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (json.TokenType != JsonTokenType.String)
        {
            throw WrongType(name, "a string", fields);
        }

        return ReadText(ref json, name, fields);
    }

    /// <summary>Basic clients may send any 'content'; only a string one is a question.</summary>
    private static string? ReadLenientString(ref Utf8JsonReader json, in Fields fields)
    {
        if (json.TokenType == JsonTokenType.String)
        {
            return ReadText(ref json, "content", fields);
        }

        SkipUnknown(ref json, fields);
        return null;
    }

    private static string ReadText(ref Utf8JsonReader json, string name, in Fields fields)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new RefusalException(new(
                WireErrors.BadRequest, $"'{Shorten(name)}' holds half of a surrogate pair, which is not text.", Shorten(name), fields.ValidId()));
        }
    }

    private static long? ReadNumber(ref Utf8JsonReader json, string name, in Fields fields)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        return json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var number) ? number : throw WrongType(name, "a whole number", fields);
    }

    private static string? ReadObject(ref Utf8JsonReader json, ReadOnlySpan<byte> utf8, string name, in Fields fields)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw WrongType(name, "an object", fields);
        }

        var start = (int)json.TokenStartIndex;
        SkipUnknown(ref json, fields);
        var text = utf8[start..(int)json.BytesConsumed];
        return text.Length == 2 ? null : Encoding.UTF8.GetString(text);
    }

    /// <summary>Skips a value nobody reads, but not without looking: nested duplicate keys and half surrogates are refused too.</summary>
    private static void SkipUnknown(ref Utf8JsonReader json, in Fields fields)
    {
        if (json.TokenType == JsonTokenType.String)
        {
            ReadText(ref json, "a field", fields);
            return;
        }

        if (json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return;
        }

        var isObject = json.TokenType == JsonTokenType.StartObject;
        var names = isObject ? new HashSet<string>(StringComparer.Ordinal) : null;
        while (json.Read() && json.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
        {
            if (isObject)
            {
                var name = ReadText(ref json, "a field's name", fields);
                if (!names!.Add(name))
                {
                    throw new RefusalException(new(WireErrors.BadRequest, $"The field '{Shorten(name)}' stands twice.", Shorten(name), fields.ValidId()));
                }

                json.Read();
            }

            SkipUnknown(ref json, fields);
        }
    }

    private static RefusalException WrongType(string name, string expected, in Fields fields) =>
        new(new(WireErrors.BadRequest, $"'{name}' must be {expected}.", name, name == "id" ? null : fields.ValidId()));

    private struct Fields
    {
        public string? Type;
        public string? Id;
        public string? QuestionId;
        public string? Question;
        public string? Content;
        public string? IfBusy;
        public string? Epoch;
        public string? MetadataJson;
        public long? AfterSeq;

        /// <summary>The id to echo in a refusal, where there is a well-formed one.</summary>
        public readonly string? ValidId()
        {
            var id = Id ?? QuestionId;
            return id is not null && Identifiers.IsQuestionId(id) ? id : null;
        }
    }

    /// <summary>The names seen so far: a bit each for the known ones, a set only once an unknown one turns up.</summary>
    private struct SeenNames
    {
        private static readonly string[] Known =
            ["type", "id", "question_id", "question", "content", "if_busy", "epoch", "after_seq", "metadata"];

        private int _known;
        private HashSet<string>? _unknown;

        public bool Add(string name)
        {
            var index = Array.IndexOf(Known, name);
            if (index < 0)
            {
                return (_unknown ??= new(StringComparer.Ordinal)).Add(name);
            }

            var bit = 1 << index;
            var isNew = (_known & bit) == 0;
            _known |= bit;
            return isNew;
        }
    }

    /// <summary>Carries a refusal out of the reading pass; never leaves this class.</summary>
    private sealed class RefusalException(MessageRefusal refusal) : Exception(refusal.Message)
    {
        public MessageRefusal Refusal { get; } = refusal;
    }
}
