using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace OrleansSessions.Tests.Responders.ChatClients;

/// <summary>A chat client whose updates a test controls. It answers one request at a time, each from the same script.</summary>
internal sealed class ScriptedChatClient : IChatClient
{
    private readonly Channel<Func<ChatResponseUpdate?>> _steps = Channel.CreateBounded<Func<ChatResponseUpdate?>>(64);
    private readonly Channel<(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)> _requests =
        Channel.CreateBounded<(IReadOnlyList<ChatMessage>, ChatOptions?)>(64);

    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The requests, in their order.</summary>
    public ChannelReader<(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)> Requests => _requests.Reader;

    /// <summary>Completes when the token of a request is cancelled.</summary>
    public Task Cancelled => _cancelled.Task;

    /// <summary>Completes when an enumerator has ended or was disposed.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>What it throws before it returns anything to enumerate, or null.</summary>
    public Exception? FailsAtOnce { get; set; }

    public ScriptedChatClient Send(string text, string? messageId = null) =>
        Add(() => new(ChatRole.Assistant, text) { MessageId = messageId });

    public ScriptedChatClient Send(params AIContent[] contents) => Add(() => new(ChatRole.Assistant, [.. contents]));

    public ScriptedChatClient Finish(ChatFinishReason? reason = null)
    {
        if (reason is not null)
        {
            Add(() => new() { FinishReason = reason });
        }

        return Add(() => null);
    }

    public ScriptedChatClient Fail(Exception fault) => Add(() => throw fault);

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        _requests.Writer.TryWrite(([.. messages], options));
        return FailsAtOnce is null ? PlayAsync(cancellationToken) : throw FailsAtOnce;
    }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted", defaultModelId: "own-model") : null;

    public void Dispose()
    {
    }

    private async IAsyncEnumerable<ChatResponseUpdate> PlayAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.Register(() => _cancelled.TrySetResult());
        try
        {
            while ((await _steps.Reader.ReadAsync(cancellationToken))() is { } update)
            {
                yield return update;
            }
        }
        finally
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _cancelled.TrySetResult();
            }

            _stopped.TrySetResult();
        }
    }

    private ScriptedChatClient Add(Func<ChatResponseUpdate?> step) =>
        _steps.Writer.TryWrite(step) ? this : throw new InvalidOperationException("The script has too many unread steps.");
}
