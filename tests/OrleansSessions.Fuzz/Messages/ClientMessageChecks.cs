using System.Buffers;
using System.Text;
using System.Text.Json;
using OrleansSessions.Protocol;

namespace OrleansSessions.Fuzz.Messages;

/// <summary>What must hold for each frame that <see cref="ClientMessageParser"/> is given.</summary>
internal static class ClientMessageChecks
{
    /// <summary>Small, so that random questions are often too large.</summary>
    private const int MaxQuestionBytes = 200;

    public static string? Find(byte[] input, WireProfile profile, JsonReference reference)
    {
        var (message, refusal) = ClientMessageParser.Parse(input, profile, MaxQuestionBytes);
        var fault = (message, refusal) switch
        {
            (null, { }) => reference.FindFault(refusal, WireErrors.BadRequest, WireErrors.UnknownType, WireErrors.QuestionTooLarge),
            ({ }, null) when !reference.IsObject => "it is accepted, and is not a JSON object with unique fields",
            (QuestionMessage question, null) => FindInQuestion(question, profile, reference),
            (CancelMessage cancel, null) => FindInCancel(cancel, reference),
            (ResumeMessage resume, null) when profile == WireProfile.V1 => FindInResume(resume, reference),
            (AuthMessage auth, null) when profile == WireProfile.V1 =>
                reference.String("type") == "auth" && auth.Token.Length > 0 && reference.String("token") == auth.Token
                    ? null
                    : "it is no auth, or not with this token",
            (PingMessage, null) when profile == WireProfile.V1 => reference.String("type") == "ping" ? null : "it is no ping",
            (PongMessage, null) when profile == WireProfile.V1 => reference.String("type") == "pong" ? null : "it is no pong",
            _ => "it is neither accepted nor refused, or both, or not of this profile",
        };
        return fault is null ? null : $"{profile} frame: {fault}.";
    }

    private static string? FindInQuestion(QuestionMessage question, WireProfile profile, JsonReference reference)
    {
        var text = reference.String("question") ?? (profile == WireProfile.Basic ? reference.String("content") : null);
        var bytes = Encoding.UTF8.GetByteCount(question.Question);
        return question.Question != text ? "the question is another one"
            : bytes is 0 or > MaxQuestionBytes ? $"the question has {bytes} bytes"
            : !JsonReference.IsWellFormed(question.Question) ? "the question contains half of a surrogate pair"
            : question.Id != reference.String("id") ? "the id is another one"
            : question.Id is not null && !Identifiers.IsQuestionId(question.Id) ? "the id is not valid"
            : NameOf(question.IfBusy) != (reference.String("if_busy") ?? "reject") ? "if_busy is another one"
            : question.MetadataJson != reference.Object("metadata") ? "the metadata is another one"
            : question.OptionsJson != reference.Object("options") ? "the options are others"
            : ClientMessageParser.Parse(Write(question), profile, MaxQuestionBytes).Message is QuestionMessage again && again == question ? null
            : "written again and parsed again it is another one";
    }

    private static string? FindInCancel(CancelMessage cancel, JsonReference reference) =>
        reference.String("type") != "cancel" ? "it is no cancel"
        : cancel.QuestionId != reference.String("question_id") ? "the question id is another one"
        : cancel.QuestionId is not null && !Identifiers.IsQuestionId(cancel.QuestionId) ? "the question id is not valid"
        : null;

    private static string? FindInResume(ResumeMessage resume, JsonReference reference) =>
        reference.String("type") != "resume" ? "it is no resume"
        : resume.Epoch != reference.String("epoch") ? "the epoch is another one"
        : resume.AfterSeq != reference.Number("after_seq") || resume.AfterSeq is < 0 or >= 1L << 53 ? "after_seq is another one or out of range"
        : null;

    private static string NameOf(IfBusy ifBusy) => ifBusy switch
    {
        IfBusy.Queue => "queue",
        IfBusy.Replace => "replace",
        _ => "reject",
    };

    private static ReadOnlySpan<byte> Write(QuestionMessage question)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("question", question.Question);
        json.WriteString("if_busy", NameOf(question.IfBusy));
        json.WriteString("id", question.Id);
        json.WritePropertyName("metadata");
        json.WriteRawValue(question.MetadataJson ?? "null");
        json.WritePropertyName("options");
        json.WriteRawValue(question.OptionsJson ?? "null");
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }
}
