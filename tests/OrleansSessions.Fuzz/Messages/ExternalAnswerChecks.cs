using System.Text;
using OrleansSessions.Protocol;

namespace OrleansSessions.Fuzz.Messages;

/// <summary>What must hold for each body that <see cref="ExternalAnswerParser"/> is given.</summary>
internal static class ExternalAnswerChecks
{
    private const int MaxErrorMessageBytes = 1024;
    private const int KnownAttempt = 3;
    private const int KnownOffset = 10;

    public static string? Find(byte[] input, JsonReference reference) =>
        Named("/answer", FindInPiece(ExternalAnswerParser.ParsePiece(input), null, null, reference))
        ?? Named("A line of /answer", FindInPiece(ExternalAnswerParser.ParseLine(input, KnownAttempt, KnownOffset), KnownAttempt, KnownOffset, reference))
        ?? Named("/response", FindInWhole(ExternalAnswerParser.ParseWhole(input), reference));

    private static string? FindInPiece(
        (AnswerPieceMessage? Message, ErrorMessage? Refusal) parsed, int? attempt, int? offset, JsonReference reference) => parsed switch
        {
            (null, { } refusal) => reference.FindFault(refusal, WireErrors.BadRequest),
            ({ } piece, null) =>
                !reference.IsObject ? "it is accepted, and is not a JSON object with unique fields"
                : piece.Attempt != (reference.Number("attempt") ?? attempt) || piece.Attempt < 0 ? "the attempt is another one"
                : piece.Offset != (reference.Number("offset") ?? offset) || piece.Offset < 0 ? "the offset is another one"
                : piece.Text != (reference.String("text") ?? "") || !JsonReference.IsWellFormed(piece.Text) ? "the text is another one"
                : piece.ErrorCode is not null && !Identifiers.IsQuestionId(piece.ErrorCode) ? "the error's code is not valid"
                : Encoding.UTF8.GetByteCount(piece.ErrorMessage ?? "") > MaxErrorMessageBytes ? "the error's message is too long"
                : piece is { Text: "", IsFinal: false, ErrorCode: null } && reference.String("text") is null ? "it says nothing"
                : null,
            _ => "it is neither accepted nor refused, or both",
        };

    private static string? FindInWhole((WholeAnswerMessage? Message, ErrorMessage? Refusal) parsed, JsonReference reference) => parsed switch
    {
        (null, { } refusal) => reference.FindFault(refusal, WireErrors.BadRequest),
        ({ } whole, null) =>
            !reference.IsObject ? "it is accepted, and is not a JSON object with unique fields"
            : whole.Response != reference.String("response") || !JsonReference.IsWellFormed(whole.Response) ? "the response is another one"
            : whole.QuestionId != reference.String("question_id") ? "the question id is another one"
            : whole.QuestionId is not null && !Identifiers.IsQuestionId(whole.QuestionId) ? "the question id is not valid"
            : null,
        _ => "it is neither accepted nor refused, or both",
    };

    private static string? Named(string name, string? fault) => fault is null ? null : $"{name}: {fault}.";
}
