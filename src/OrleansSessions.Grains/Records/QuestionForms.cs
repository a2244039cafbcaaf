using Orleans.Serialization;
using OrleansSessions.Grains.Questions;

namespace OrleansSessions.Grains.Records;

/// <summary>
/// Ended questions as bytes. They never change, so each is serialised once, and a record or a page that holds it copies the bytes: a record is written twice
/// for each question, with all that no page holds yet.
/// </summary>
internal sealed class QuestionForms(Serializer<QuestionState> serializer)
{
    public byte[] Write(Question ended) => ended.Form ??= serializer.SerializeToArray(QuestionState.From(ended));

    public QuestionState Read(byte[] form) => serializer.Deserialize(form)!;
}
