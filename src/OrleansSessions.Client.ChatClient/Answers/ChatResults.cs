using Microsoft.Extensions.AI;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.ChatClient.Answers;

/// <summary>Answers in the words of <see cref="IChatClient"/>. The id of a question is that of its response and of its one message.</summary>
/// <param name="session">The session, which is the conversation.</param>
internal sealed class ChatResults(string session)
{
    /// <summary>Returns an update. Its contents are empty without text.</summary>
    public ChatResponseUpdate Update(AnswerUpdate update, string text, ResponseContinuationToken? token) => new()
    {
        Role = ChatRole.Assistant,
        Contents = text.Length > 0 ? [new TextContent(text)] : [],
        ConversationId = session,
        ResponseId = update.QuestionId,
        MessageId = update.QuestionId,
        ContinuationToken = token,
        RawRepresentation = update,
    };

    /// <exception cref="QuestionNotAnsweredException">The question has no answer.</exception>
    public ChatResponseUpdate LastUpdate(AnswerEnded ended)
    {
        var update = Update(ended, "", null);
        update.FinishReason = FinishReasonOf(ended.End);
        return update;
    }

    /// <exception cref="QuestionNotAnsweredException">The question has no answer.</exception>
    public ChatResponse Response(AnswerEnd end) => new(new ChatMessage(ChatRole.Assistant, end.Text) { MessageId = end.QuestionId })
    {
        ConversationId = session,
        ResponseId = end.QuestionId,
        FinishReason = FinishReasonOf(end),
        RawRepresentation = end,
    };

    /// <summary>The response of a question that has not ended. It has no message.</summary>
    public ChatResponse Unfinished(AnswerToken token) => new()
    {
        ConversationId = session,
        ResponseId = token.Position.QuestionId,
        ContinuationToken = token,
    };

    private static ChatFinishReason FinishReasonOf(AnswerEnd end) => end switch
    {
        { Status: QuestionStatus.Completed } => ChatFinishReason.Stop,
        { Status: QuestionStatus.Incomplete, Reason: DoneReasons.Length or DoneReasons.AnswerTooLarge } => ChatFinishReason.Length,
        { Status: QuestionStatus.Incomplete } => new ChatFinishReason(end.Reason ?? "incomplete"),
        { Reason: DoneReasons.ResponderRefused } => ChatFinishReason.ContentFilter,
        _ => throw new QuestionNotAnsweredException(end),
    };
}
