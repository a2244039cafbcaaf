namespace OrleansSessions.Protocol;

/// <summary>A piece of an answer from outside: the body of <c>/answer</c>, or one line of it.</summary>
/// <param name="ErrorCode">Not null if the sender ends the question with an error.</param>
public sealed record AnswerPieceMessage(int Attempt, long Offset, string Text, bool IsFinal, string? ErrorCode, string? ErrorMessage);

/// <summary>A whole answer from outside: the body of <c>/response</c>.</summary>
/// <param name="QuestionId">Null means the running question.</param>
public sealed record WholeAnswerMessage(string? QuestionId, string Response);

/// <summary>Parses the bodies that answer a question, as strictly as <see cref="ClientMessageParser"/> parses frames.</summary>
public static class ExternalAnswerParser
{
    private const int MaxErrorMessageBytes = 1024;

    /// <returns>Either the piece, or the reason why it is refused.</returns>
    public static (AnswerPieceMessage? Message, ErrorMessage? Refusal) ParsePiece(ReadOnlySpan<byte> utf8) => ParsePiece(utf8, null, null);

    /// <summary>Reads one line of a streamed answer: a piece that may leave out what the lines before it say.</summary>
    /// <param name="attempt">The attempt of the lines before, or null for the first line, which must have one.</param>
    /// <param name="offset">Where the piece begins if the line has no offset.</param>
    /// <returns>Either the piece, or the reason why it is refused.</returns>
    public static (AnswerPieceMessage? Message, ErrorMessage? Refusal) ParseLine(ReadOnlySpan<byte> utf8, int? attempt, long offset) =>
        ParsePiece(utf8, attempt, offset);

    private static (AnswerPieceMessage? Message, ErrorMessage? Refusal) ParsePiece(ReadOnlySpan<byte> utf8, int? attempt, long? offset)
    {
        try
        {
            return (ReadPiece(utf8, attempt, offset), null);
        }
        catch (MessageRefusedException refused)
        {
            return (null, refused.Refusal);
        }
    }

    /// <returns>Either the answer, or the reason why it is refused.</returns>
    public static (WholeAnswerMessage? Message, ErrorMessage? Refusal) ParseWhole(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return (ReadWhole(utf8), null);
        }
        catch (MessageRefusedException refused)
        {
            return (null, refused.Refusal);
        }
    }

    /// <param name="knownAttempt">The attempt of a piece that has none, or null if it must have one.</param>
    /// <param name="knownOffset">The offset of a piece that has none, or null if it must have one.</param>
    private static AnswerPieceMessage ReadPiece(ReadOnlySpan<byte> utf8, int? knownAttempt, long? knownOffset)
    {
        long? attempt = null;
        long? offset = null;
        string? text = null;
        string? errorJson = null;
        var isFinal = false;
        var json = StrictJson.Open(utf8);
        while (json.NextField() is { } name)
        {
            switch (name)
            {
                case "attempt": attempt = json.ReadNumber(); break;
                case "offset": offset = json.ReadNumber(); break;
                case "text": text = json.ReadString(); break;
                case "final": isFinal = json.ReadBoolean() ?? false; break;
                case "error": errorJson = json.ReadObject(); break;
                default: json.Skip(); break;
            }
        }

        var (code, message) = errorJson is null ? (null, null) : ReadError(System.Text.Encoding.UTF8.GetBytes(errorJson));
        attempt ??= knownAttempt;
        offset ??= knownOffset;
        if (attempt is not (>= 0 and <= int.MaxValue))
        {
            throw Refused("'attempt' must be a whole number that is not negative.", "attempt");
        }

        if (offset is not >= 0)
        {
            throw Refused("'offset' must be a whole number that is not negative.", "offset");
        }

        if (text is null && !isFinal && code is null)
        {
            throw Refused("A piece must have a string 'text', unless it is final or an error.", "text");
        }

        return new((int)attempt.Value, offset.Value, text ?? "", isFinal, code, message);
    }

    private static (string Code, string? Message) ReadError(ReadOnlySpan<byte> utf8)
    {
        string? code = null;
        string? message = null;
        var json = StrictJson.Open(utf8);
        while (json.NextField() is { } name)
        {
            switch (name)
            {
                case "code": code = json.ReadString(); break;
                case "message": message = json.ReadString(); break;
                default: json.Skip(); break;
            }
        }

        if (code is null || !Identifiers.IsQuestionId(code))
        {
            throw Refused("'error' must have a string 'code' of 1 to 64 characters of A-Z a-z 0-9 . _ ~ : @ - and not '.' or '..'.", "error.code");
        }

        var bytes = System.Text.Encoding.UTF8.GetByteCount(message ?? "");
        return bytes <= MaxErrorMessageBytes
            ? (code, message)
            : throw Refused($"The error's 'message' has {bytes} bytes. At most {MaxErrorMessageBytes} are allowed.", "error.message");
    }

    private static WholeAnswerMessage ReadWhole(ReadOnlySpan<byte> utf8)
    {
        string? response = null;
        string? questionId = null;
        var json = StrictJson.Open(utf8);
        while (json.NextField() is { } name)
        {
            switch (name)
            {
                case "response": response = json.ReadString(); break;
                case "question_id": questionId = json.ReadString(); break;
                default: json.Skip(); break;
            }
        }

        if (questionId is not null && !Identifiers.IsQuestionId(questionId))
        {
            throw Refused("'question_id' is not a valid question id.", "question_id");
        }

        return response is null ? throw Refused("An answer must have a string 'response'.", "response") : new(questionId, response);
    }

    private static MessageRefusedException Refused(string message, string param) => new(new(WireErrors.BadRequest, message, Param: param));
}
