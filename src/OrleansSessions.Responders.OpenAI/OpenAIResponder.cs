using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;
using OpenAI.Chat;
using OrleansSessions.Protocol;
using AIChatFinishReason = Microsoft.Extensions.AI.ChatFinishReason;
using AIChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>
/// Sends the question to an OpenAI-compatible endpoint and forwards the text as it arrives. It has no time limit of its own except for the
/// connection: the session's timers cancel the token, and a cancel closes the connection at once.
/// </summary>
internal sealed class OpenAIResponder : IResponder, IDisposable
{
    private readonly OpenAIOptions _options;
    private readonly IChatClient _client;
    private readonly HttpClient _http;

    public OpenAIResponder(IOptions<OpenAIOptions> options)
    {
        _options = options.Value;
        _http = OpenAITransport.CreateHttpClient(_options);
        _client = OpenAITransport.CreateChatClient(_options, _http);
    }

    public async IAsyncEnumerable<AnswerPiece> AnswerAsync(
        ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        AIChatFinishReason? finish = null;
        var isRefused = false;
        var hasStarted = false;
        var updates = _client.GetStreamingResponseAsync(ToMessages(context), ToChatOptions(), cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (updates)
        {
            // 1. Read until the upstream ends. A failed read says which party failed.
            while (await MoveNextAsync(updates, hasStarted, cancellationToken))
            {
                hasStarted = true;
                var update = updates.Current;
                finish = update.FinishReason ?? finish;
                isRefused |= IsRefusal(update);
                if (update.Text is { Length: > 0 } text)
                {
                    yield return AnswerPiece.Of(text);
                }
            }
        }

        // 2. The library ends a broken stream without an error, like a complete one. Only the finish reason distinguishes them.
        if (isRefused || finish == AIChatFinishReason.ContentFilter)
        {
            throw OpenAIFailures.Refused();
        }

        if (finish is null)
        {
            throw OpenAIFailures.Cut();
        }

        if (finish == AIChatFinishReason.Length)
        {
            yield return AnswerPiece.Stop(DoneReasons.Length);
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _http.Dispose();
    }

    private static async ValueTask<bool> MoveNextAsync(
        IAsyncEnumerator<ChatResponseUpdate> updates, bool hasStarted, CancellationToken cancellationToken)
    {
        try
        {
            return await updates.MoveNextAsync();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw OpenAIFailures.From(exception, hasStarted);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A connection that is closed by a cancel can fail in many ways. All of them mean that the answer was cancelled.
            throw new OperationCanceledException("The answer was cancelled.", exception, cancellationToken);
        }
    }

    /// <summary>A refusal is not part of the text, and the abstraction does not expose it.</summary>
    private static bool IsRefusal(ChatResponseUpdate update) =>
        update.RawRepresentation is StreamingChatCompletionUpdate { RefusalUpdate.Length: > 0 };

    private List<AIChatMessage> ToMessages(ResponderContext context)
    {
        var messages = new List<AIChatMessage>(context.History.Count * 2 + 2);
        if (_options.SystemPrompt.Length > 0)
        {
            messages.Add(new AIChatMessage(ChatRole.System, _options.SystemPrompt));
        }

        foreach (var pair in context.History)
        {
            messages.Add(new AIChatMessage(ChatRole.User, pair.Question));
            if (pair.Answer.Length > 0)
            {
                messages.Add(new AIChatMessage(ChatRole.Assistant, pair.Answer));
            }
        }

        messages.Add(new AIChatMessage(ChatRole.User, context.Question));
        return messages;
    }

    private ChatOptions ToChatOptions() => new() { MaxOutputTokens = _options.MaxOutputTokens, Temperature = _options.Temperature };
}
