using System.Text;

namespace OrleansSessions.Protocol;

/// <summary>
/// Parses one text frame into a message, or returns the reason why it is refused. It refuses duplicate fields, wrong types and lone surrogates, and skips
/// unknown fields. Thread-safe. Allocates only what the message keeps.
/// </summary>
public static class ClientMessageParser
{
    /// <param name="utf8">One complete JSON text, valid UTF-8.</param>
    /// <param name="profile">The profile whose rules determine the message type.</param>
    /// <param name="maxQuestionBytes">The maximum size of a question, in UTF-8 bytes.</param>
    public static ParsedMessage Parse(ReadOnlySpan<byte> utf8, WireProfile profile, int maxQuestionBytes)
    {
        Fields fields;
        try
        {
            fields = ReadFields(utf8, profile);
        }
        catch (MessageRefusedException refused)
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
            WireErrors.BadRequest, "A question is an object with a string 'question' or, without it, a string 'content'.", "question", fields.ValidId());
    }

    private static ParsedMessage ChooseV1(in Fields fields, int maxQuestionBytes)
    {
        switch (fields.Type)
        {
            case "question":
            case null when fields.Question is not null:
                return fields.Question is { } text
                    ? Question(fields, text, maxQuestionBytes)
                    : Refuse(WireErrors.BadRequest, "A question must have a string 'question'.", "question", fields.ValidId());
            case "cancel":
                return Cancel(fields);
            case "resume":
                return Resume(fields);
            case "ping":
                return new(new PingMessage(), null);
            case "pong":
                return new(new PongMessage(), null);
            case "auth":
                return string.IsNullOrEmpty(fields.Token)
                    ? Refuse(WireErrors.BadRequest, "'auth' requires a string 'token' that is not empty.", "token")
                    : new(new AuthMessage(fields.Token), null);
            case null:
                return Refuse(WireErrors.BadRequest, "The message has neither a 'type' nor a 'question'.", "type", fields.ValidId());
            default:
                return Refuse(
                    WireErrors.UnknownType, $"The type '{StrictJson.Shorten(fields.Type)}' is unknown. Use question, cancel, resume, auth, ping or pong.",
                    "type", fields.ValidId());
        }
    }

    private static ParsedMessage Question(in Fields fields, string text, int maxQuestionBytes)
    {
        if (fields.Id is { } id && !Identifiers.IsQuestionId(id))
        {
            return new(null, Refusals.QuestionId("id"));
        }

        if (text.Length == 0)
        {
            return new(null, Refusals.EmptyQuestion(fields.Id));
        }

        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > maxQuestionBytes)
        {
            return new(null, Refusals.QuestionTooLarge(fields.Id, bytes, maxQuestionBytes));
        }

        IfBusy ifBusy;
        switch (fields.IfBusy)
        {
            case null or "reject": ifBusy = IfBusy.Reject; break;
            case "queue": ifBusy = IfBusy.Queue; break;
            case "replace": ifBusy = IfBusy.Replace; break;
            default:
                return Refuse(
                    WireErrors.BadRequest, $"'if_busy' is 'reject', 'queue' or 'replace', not '{StrictJson.Shorten(fields.IfBusy)}'.", "if_busy", fields.Id);
        }

        return new(new QuestionMessage(fields.Id, text, ifBusy, fields.MetadataJson, fields.OptionsJson), null);
    }

    private static ParsedMessage Cancel(in Fields fields) =>
        fields.QuestionId is { } id && !Identifiers.IsQuestionId(id)
            ? Refuse(WireErrors.BadRequest, "'question_id' is not a valid question id.", "question_id")
            : new(new CancelMessage(fields.QuestionId), null);

    private static ParsedMessage Resume(in Fields fields)
    {
        if (fields.Epoch is null)
        {
            return Refuse(WireErrors.BadRequest, "A resume must have a string 'epoch'.", "epoch");
        }

        return fields.AfterSeq is >= 0 and < (1L << 53)
            ? new(new ResumeMessage(fields.Epoch, fields.AfterSeq.Value), null)
            : Refuse(WireErrors.BadRequest, "A resume must have 'after_seq', an integer from 0 to 2^53 - 1.", "after_seq");
    }

    private static ParsedMessage Refuse(WireError error, string message, string? param = null, string? questionId = null) =>
        new(null, new ErrorMessage(error, message, questionId, param));

    /// <summary>Reads the object in one pass. Known fields are checked for their type, unknown ones only for being well-formed and unique.</summary>
    private static Fields ReadFields(ReadOnlySpan<byte> utf8, WireProfile profile)
    {
        // The basic profile has few fields. All other fields are ignored, whatever their type.
        var isBasic = profile == WireProfile.Basic;
        var fields = default(Fields);
        var json = StrictJson.Open(utf8);
        try
        {
            while (json.NextField() is { } name)
            {
                switch (name)
                {
                    case "id": fields.Id = json.ReadString(); break;
                    case "if_busy": fields.IfBusy = json.ReadString(); break;
                    case "type": fields.Type = isBasic ? json.ReadStringOrSkip() : json.ReadString(); break;
                    case "question": fields.Question = isBasic ? json.ReadStringOrSkip() : json.ReadString(); break;
                    case "question_id": fields.QuestionId = isBasic ? json.ReadStringOrSkip() : json.ReadString(); break;
                    case "content" when isBasic: fields.Content = json.ReadStringOrSkip(); break;
                    case "metadata": fields.MetadataJson = isBasic ? json.ReadObjectOrSkip() : json.ReadObject(); break;
                    case "options": fields.OptionsJson = isBasic ? json.ReadObjectOrSkip() : json.ReadObject(); break;
                    case "token" when !isBasic: fields.Token = json.ReadString(); break;
                    case "epoch" when !isBasic: fields.Epoch = json.ReadString(); break;
                    case "after_seq" when !isBasic: fields.AfterSeq = json.ReadNumber(); break;
                    default: json.Skip(); break;
                }
            }
        }
        catch (MessageRefusedException refused) when (fields.ValidId() is { } id)
        {
            throw new MessageRefusedException(refused.Refusal with { QuestionId = id });
        }

        return fields;
    }

    private struct Fields
    {
        public string? Type;
        public string? Id;
        public string? QuestionId;
        public string? Question;
        public string? Content;
        public string? IfBusy;
        public string? Epoch;
        public string? Token;
        public string? MetadataJson;
        public string? OptionsJson;
        public long? AfterSeq;

        /// <summary>The id to return in a refusal, or null if there is no valid one.</summary>
        public readonly string? ValidId()
        {
            var id = Id ?? QuestionId;
            return id is not null && Identifiers.IsQuestionId(id) ? id : null;
        }
    }
}
