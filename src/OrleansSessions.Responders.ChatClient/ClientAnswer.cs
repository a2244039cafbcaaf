using Microsoft.Extensions.AI;
using OrleansSessions.Protocol;

namespace OrleansSessions.Responders.ChatClient;

/// <summary>Reads the updates of one answer: which pieces each becomes, and what they say about the end.</summary>
/// <param name="model">The model's name for the usage.</param>
internal sealed class ClientAnswer(string model)
{
    private const string RefusalCode = "Refusal";

    private readonly UsageDetails _usage = new();
    private ChatFinishReason? _finishReason;
    private string? _messageId;
    private bool _hasUpdates;
    private bool _isRefused;
    private bool _hasErrors;

    public bool HasText { get; private set; }

    /// <summary>Returns the pieces of an update. Every update is at least a sign of life: a model that thinks or calls a tool is at work.</summary>
    public IEnumerable<AnswerPiece> Read(ChatResponseUpdate update)
    {
        _hasUpdates = true;
        _finishReason = update.FinishReason ?? _finishReason;
        var text = "";
        foreach (var content in update.Contents)
        {
            switch (content)
            {
                case TextContent part:
                    text += part.Text;
                    break;
                case UsageContent usage:
                    // A client that calls the model several times, for tools, reports each call. They add up, as in a whole response.
                    _usage.Add(usage.Details);
                    yield return AnswerPiece.Used(UsageSoFar());
                    break;
                case ErrorContent error:
                    // An error of this kind does not end the answer. If text follows, the client has gone on in spite of it.
                    _isRefused |= RefusalCode.Equals(error.ErrorCode, StringComparison.OrdinalIgnoreCase);
                    _hasErrors = true;
                    break;
            }
        }

        yield return text.Length > 0 ? AnswerPiece.Of(SeparatorBefore(update) + text) : AnswerPiece.Alive;
    }

    /// <summary>How the answer ended: null if it is whole, or the reason why it is not.</summary>
    /// <exception cref="ResponderException">It ended in a failure.</exception>
    public string? FindEnd() => _finishReason switch
    {
        _ when _isRefused => throw Refused(),
        { } reason when reason == ChatFinishReason.ContentFilter => throw Refused(),
        { } reason when reason == ChatFinishReason.Length => DoneReasons.Length,
        { } reason when reason == ChatFinishReason.ToolCalls && !HasText => throw Failed("The model called a tool instead of answering, and no one ran it."),
        _ when _hasErrors && !HasText => throw Failed("The model's client reported an error instead of an answer."),
        null when !_hasUpdates => throw new ResponderException(
            DoneReasons.ResponderCut, "The model's client ended without an answer.", isRetryable: true)
        { IsSafeToLog = true },
        _ => null,
    };

    /// <summary>An answer with tools can consist of several messages. A blank line keeps the last word of one from the first word of the next.</summary>
    private string SeparatorBefore(ChatResponseUpdate update)
    {
        var isAnotherMessage = HasText && update.MessageId is not null && _messageId is not null && update.MessageId != _messageId;
        _messageId = update.MessageId ?? _messageId;
        HasText = true;
        return isAnotherMessage ? "\n\n" : "";
    }

    private AnswerUsage UsageSoFar() => new(model)
    {
        InputTokens = _usage.InputTokenCount,
        OutputTokens = _usage.OutputTokenCount,
        CachedInputTokens = _usage.CachedInputTokenCount,
        ReasoningTokens = _usage.ReasoningTokenCount,
    };

    private static ResponderException Refused() =>
        new(DoneReasons.ResponderRefused, "The model declined to answer.", isRetryable: false) { IsSafeToLog = true };

    private static ResponderException Failed(string message) => new(DoneReasons.ResponderError, message, isRetryable: false) { IsSafeToLog = true };
}
