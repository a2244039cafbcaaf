using System.Text;
using System.Text.Json;

namespace OrleansSessions.Protocol;

/// <summary>
/// Reads the fields of one JSON object. It refuses whatever could be misread: a duplicate field (also inside values that are skipped), half of a
/// surrogate pair, a wrong type, or anything after the object. Every error is a <see cref="MessageRefusedException"/>.
/// </summary>
internal ref struct StrictJson
{
    private const int MaxDepth = 32;
    private const int MaxShown = 40;
    private const int MaxReasonChars = 200;

    private readonly ReadOnlySpan<byte> _utf8;
    private Utf8JsonReader _json;
    private FieldNames _seen;
    private string _name;

    private StrictJson(ReadOnlySpan<byte> utf8)
    {
        _utf8 = utf8;
        _json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        _name = "";
    }

    /// <summary>Starts to read the object, which must be the whole text.</summary>
    public static StrictJson Open(ReadOnlySpan<byte> utf8)
    {
        var json = new StrictJson(utf8);
        if (!json.Read() || json._json.TokenType != JsonTokenType.StartObject)
        {
            throw Refused("The message is not a JSON object.", null);
        }

        return json;
    }

    /// <summary>Returns at most 40 characters of a text from a client, to include it in a message to that client.</summary>
    public static string Shorten(string value)
    {
        if (value.Length <= MaxShown)
        {
            return value;
        }

        var end = char.IsHighSurrogate(value[MaxShown - 1]) ? MaxShown - 1 : MaxShown;
        return string.Concat(value.AsSpan(0, end), "...");
    }

    /// <summary>Moves to the value of the next field and returns the field's name, or null after the last field.</summary>
    public string? NextField()
    {
        Read();
        if (_json.TokenType != JsonTokenType.PropertyName)
        {
            // Throws if anything follows the object.
            Read();
            return null;
        }

        _name = KnownName() ?? ReadText("a field's name");
        if (!_seen.Add(_name))
        {
            throw Twice(_name);
        }

        Read();
        return _name;
    }

    /// <summary>Returns a string, or null for a JSON null.</summary>
    public string? ReadString() => _json.TokenType switch
    {
        JsonTokenType.String => ReadText(_name),
        JsonTokenType.Null => null,
        _ => throw WrongType("a string"),
    };

    /// <summary>Returns a string, or null for anything else.</summary>
    public string? ReadStringOrSkip()
    {
        if (_json.TokenType == JsonTokenType.String)
        {
            return ReadText(_name);
        }

        Skip();
        return null;
    }

    /// <summary>Returns a 64-bit integer, or null for a JSON null.</summary>
    public long? ReadNumber() => _json.TokenType switch
    {
        JsonTokenType.Number when _json.TryGetInt64(out var number) => number,
        JsonTokenType.Null => null,
        _ => throw WrongType("a whole number"),
    };

    /// <summary>Returns true or false, or null for a JSON null.</summary>
    public bool? ReadBoolean() => _json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        JsonTokenType.Null => null,
        _ => throw WrongType("true or false"),
    };

    /// <summary>Returns the JSON text of an object, or null for an empty object or a JSON null.</summary>
    public string? ReadObject() => _json.TokenType is JsonTokenType.StartObject or JsonTokenType.Null ? ReadObjectOrSkip() : throw WrongType("an object");

    /// <summary>Returns the JSON text of an object, or null for an empty object or anything else.</summary>
    public string? ReadObjectOrSkip()
    {
        var isObject = _json.TokenType == JsonTokenType.StartObject;
        var start = (int)_json.TokenStartIndex;
        Skip();
        var text = _utf8[start..(int)_json.BytesConsumed];
        return isObject && text[1..^1].ContainsAnyExcept(" \t\r\n"u8) ? Encoding.UTF8.GetString(text) : null;
    }

    /// <summary>Skips a value, but still checks it.</summary>
    public void Skip()
    {
        switch (_json.TokenType)
        {
            case JsonTokenType.String:
                ReadText(_name);
                break;
            case JsonTokenType.StartArray:
                while (Read() && _json.TokenType != JsonTokenType.EndArray)
                {
                    Skip();
                }

                break;
            case JsonTokenType.StartObject:
                SkipFields();
                break;
        }
    }

    private void SkipFields()
    {
        var names = default(FieldNames);
        while (Read() && _json.TokenType != JsonTokenType.EndObject)
        {
            var name = ReadText("a field's name");
            if (!names.Add(name))
            {
                throw Twice(name);
            }

            Read();
            Skip();
        }
    }

    private bool Read()
    {
        try
        {
            return _json.Read();
        }
        catch (JsonException fault)
        {
            throw Refused($"The message is not valid JSON: {Reason(fault)}", null);
        }
    }

    /// <summary>The reader's own words, unless they repeat much of the message: a literal that it does not know is in them as a whole.</summary>
    private static string Reason(JsonException fault) => fault.Message.Length <= MaxReasonChars
        ? fault.Message
        : $"there is an invalid value at LineNumber: {fault.LineNumber} | BytePositionInLine: {fault.BytePositionInLine}.";

    /// <summary>Returns a known name without allocating a string. A name with escapes is not recognized here.</summary>
    private readonly string? KnownName()
    {
        if (_json.ValueIsEscaped)
        {
            return null;
        }

        foreach (var known in FieldNames.Known)
        {
            if (_json.ValueTextEquals(known))
            {
                return known;
            }
        }

        return null;
    }

    private readonly string ReadText(string what)
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Refused($"'{Shorten(what)}' contains half of a surrogate pair.", Shorten(what));
        }
    }

    private readonly MessageRefusedException WrongType(string expected) => Refused($"'{_name}' must be {expected}.", _name);

    private static MessageRefusedException Twice(string name) => Refused($"The field '{Shorten(name)}' occurs twice.", Shorten(name));

    private static MessageRefusedException Refused(string message, string? param) => new(new(WireErrors.BadRequest, message, Param: param));

    /// <summary>The names that occurred so far in one object. Known names take one bit each; the set is created only for others.</summary>
    private struct FieldNames
    {
        public static readonly string[] Known =
        [
            "type", "id", "question", "content", "question_id", "if_busy", "epoch", "after_seq", "metadata", "options", "attempt", "offset",
            "text", "final", "error", "response", "code", "message",
        ];

        private int _known;
        private HashSet<string>? _others;

        public bool Add(string name)
        {
            var index = Array.IndexOf(Known, name);
            if (index < 0)
            {
                return (_others ??= new(StringComparer.Ordinal)).Add(name);
            }

            var bit = 1 << index;
            var isNew = (_known & bit) == 0;
            _known |= bit;
            return isNew;
        }
    }
}

/// <summary>Carries a refusal from the reader to the parser. It never leaves this assembly.</summary>
internal sealed class MessageRefusedException(ErrorMessage refusal) : Exception(refusal.Message)
{
    public ErrorMessage Refusal { get; } = refusal;
}
