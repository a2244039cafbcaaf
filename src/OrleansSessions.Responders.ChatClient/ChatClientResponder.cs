using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Responders.ChatClient;

/// <summary>
/// Asks an <see cref="IChatClient"/> and forwards the text as it arrives. It has no time limit of its own: the session's timers cancel the token, and the
/// client ends its request.
/// </summary>
internal sealed class ChatClientResponder : IResponder
{
    private readonly IChatClient _client;
    private readonly ChatClientResponderOptions _options;
    private readonly ClientFaults _faults;
    private readonly string _ownModel;

    /// <summary>One instance serves the responder that <c>Responder:Name</c> has selected.</summary>
    public ChatClientResponder(
        IServiceProvider services, IOptions<ResponderOptions> selected, IOptionsMonitor<ChatClientResponderOptions> options, TimeProvider time)
    {
        var name = selected.Value.Name;
        _client = services.GetRequiredKeyedService<IChatClient>(new ChatClientKey(name));
        _options = options.Get(name);
        _faults = new ClientFaults(time);
        _ownModel = _client.GetService<ChatClientMetadata>()?.DefaultModelId ?? name;
    }

    public RecoveryMode Recovery => _options.Recovery;

    public OptionFault? CheckOptions(JsonElement options) => QuestionChoice.FindFault(_options, options);

    public async IAsyncEnumerable<AnswerPiece> AnswerAsync(
        ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // 1. Ask. Lists and options are new for each answer, because a client may change them.
        var choice = QuestionChoice.Of(_options, context.OptionsJson);
        var chat = new ChatOptions
        {
            ModelId = choice.Model.Length > 0 ? choice.Model : null,
            Temperature = choice.Temperature,
            MaxOutputTokens = _options.MaxOutputTokens,
        };
        _options.ConfigureChat?.Invoke(chat, context);
        var answer = new ClientAnswer(chat.ModelId ?? _ownModel);
        await using var updates = AskAsync(MessagesOf(context, choice), chat, cancellationToken);

        // 2. Forward what comes. Disposing the enumerator ends the request, wherever it is.
        while (await MoveNextAsync(updates, answer, cancellationToken))
        {
            foreach (var piece in answer.Read(updates.Current))
            {
                yield return piece;
            }
        }

        // 3. Without an exception, how it ended says whether it is whole.
        if (answer.FindEnd() is { } reason)
        {
            yield return AnswerPiece.Stop(reason);
        }
    }

    private static List<ChatMessage> MessagesOf(ResponderContext context, QuestionChoice choice)
    {
        var messages = new List<ChatMessage>();
        if (choice.SystemPrompt.Length > 0)
        {
            messages.Add(new(ChatRole.System, choice.SystemPrompt));
        }

        foreach (var pair in context.History)
        {
            messages.Add(new(ChatRole.User, pair.Question));
            messages.Add(new(ChatRole.Assistant, pair.Answer));
        }

        messages.Add(new(ChatRole.User, context.Question));
        return messages;
    }

    private IAsyncEnumerator<ChatResponseUpdate> AskAsync(List<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return _client.GetStreamingResponseAsync(messages, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        }
        catch (Exception fault) when (fault is not ResponderException && !cancellationToken.IsCancellationRequested)
        {
            throw _faults.ToFailure(fault, hasText: false);
        }
    }

    private async ValueTask<bool> MoveNextAsync(
        IAsyncEnumerator<ChatResponseUpdate> updates, ClientAnswer answer, CancellationToken cancellationToken)
    {
        try
        {
            return await updates.MoveNextAsync();
        }
        catch (Exception fault) when (cancellationToken.IsCancellationRequested)
        {
            // A request that is cancelled can fail in many ways. All of them mean that the answer was cancelled.
            throw new OperationCanceledException("The answer was cancelled.", fault, cancellationToken);
        }
        catch (Exception fault) when (fault is not ResponderException)
        {
            throw _faults.ToFailure(fault, answer.HasText);
        }
    }
}
