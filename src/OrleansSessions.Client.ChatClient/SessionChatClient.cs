using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using OrleansSessions.Client.ChatClient.Answers;
using OrleansSessions.Client.ChatClient.Connections;

namespace OrleansSessions.Client.ChatClient;

/// <summary>
/// The sessions of a server as an <see cref="IChatClient"/>. A conversation is a session: <see cref="ChatOptions.ConversationId"/> is its id, and its history
/// is on the server. All members can be called by several threads, also for one conversation.
/// </summary>
/// <remarks>
/// <para>
/// Asked is the last message of the user, which must be text. Everything else in the messages is ignored, because the session has its own history and the
/// server its own system prompt. Without a conversation id, a new session begins; each update and each response has its id. Of the options,
/// <see cref="ChatOptions.ModelId"/> and <see cref="ChatOptions.Temperature"/> become the question's <c>model</c> and <c>temperature</c>, which the server can
/// refuse; <see cref="ChatOptions.RawRepresentationFactory"/> can return <see cref="AskOptions"/> for everything else. Other options have no effect.
/// </para>
/// <para>
/// While another question is open in the session, a question is refused with <see cref="SessionRefusedException"/> and <c>session_busy</c>, unless its
/// <see cref="AskOptions.IfBusy"/> says otherwise.
/// </para>
/// <para>
/// A call that is cancelled, or an enumeration that is left early, cancels its question, so that the model stops. With
/// <see cref="ChatOptions.AllowBackgroundResponses"/> it does not: the answer goes on, each update has a token, and a call with that token as
/// <see cref="ChatOptions.ContinuationToken"/>, perhaps of another process, gets the rest, with nothing lost and nothing twice. A call with a token never
/// cancels the question; <see cref="CancelAsync"/> does.
/// </para>
/// </remarks>
public sealed class SessionChatClient : IChatClient, IAsyncDisposable
{
    private const string Provider = "orleans-sessions";

    private readonly SessionChatClientOptions _options;
    private readonly SessionPool _pool;
    private readonly ChatClientMetadata _metadata;

    /// <summary>Creates a chat client for a server.</summary>
    /// <param name="url">The address of the server, see <see cref="SessionClient.ConnectAsync"/>.</param>
    /// <param name="connection">How to reach the server. Default: without a token.</param>
    /// <param name="options">How long to wait, and to keep connections. Default: the default values.</param>
    public SessionChatClient(Uri url, SessionClientOptions? connection = null, SessionChatClientOptions? options = null)
        : this(new SessionClientFactory(url, connection ?? new()), options, url)
    {
    }

    /// <summary>Creates a chat client with the connections of a factory.</summary>
    /// <param name="factory">Opens the sessions.</param>
    /// <param name="options">How long to wait, and to keep connections. Default: the default values.</param>
    public SessionChatClient(SessionClientFactory factory, SessionChatClientOptions? options = null) : this(factory, options, null)
    {
    }

    private SessionChatClient(SessionClientFactory factory, SessionChatClientOptions? options, Uri? url)
    {
        ArgumentNullException.ThrowIfNull(factory);
        _options = options ?? new();
        _options.Check();
        _pool = new(factory.Start, _options);
        _metadata = new(Provider, url);
    }

    /// <summary>The number of open connections, for tests.</summary>
    internal int Connections => _pool.Count;

    /// <summary>
    /// Asks, and returns the whole answer. With <see cref="ChatOptions.AllowBackgroundResponses"/>, it returns as soon as the server has accepted the question,
    /// without a message and with a token. A call with that token returns the answer, or, if background responses are allowed and the question has not ended,
    /// again a response without a message; it never waits then, so the caller decides how often to look.
    /// </summary>
    /// <param name="messages">The last message of the user is asked. Ignored with a token.</param>
    /// <param name="options">See the remarks of this type.</param>
    /// <param name="cancellationToken">Gives up, and cancels the question unless background responses are allowed or there is a token.</param>
    /// <exception cref="ArgumentException">There is nothing to ask, or the token or the conversation id is not valid.</exception>
    /// <exception cref="QuestionNotAnsweredException">The question failed, its time was over, or another client cancelled it.</exception>
    /// <exception cref="SessionRefusedException">The server refused the question, for example because another one is open.</exception>
    /// <exception cref="SessionException">
    /// The server did not accept the question in time (<c>not_accepted</c>) or could not be reached to look at an answer (<c>not_reached</c>), has lost the
    /// question, or its answer cannot be read.
    /// </exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = new ChatCall(messages, options, this);
        var results = new ChatResults(call.Session);
        if (call is { IsBackground: true, Token: not null })
        {
            return await LookAsync(call, results, cancellationToken).ConfigureAwait(false);
        }

        await foreach (var update in ReadAsync(call, cancellationToken).ConfigureAwait(false))
        {
            if (update is AnswerEnded ended)
            {
                return results.Response(ended.End);
            }

            if (call.IsBackground)
            {
                return results.Unfinished(new(update.Position, TextPrefix.Empty));
            }
        }

        throw new InvalidOperationException("The answer ended without its last update.");
    }

    /// <summary>
    /// Asks, and streams the answer as it comes. The first update has no text: it says that the server has accepted the question, and has the conversation's
    /// id. The last one has the finish reason, and no token.
    /// </summary>
    /// <param name="messages">The last message of the user is asked. Ignored with a token.</param>
    /// <param name="options">See the remarks of this type.</param>
    /// <param name="cancellationToken">Ends the enumeration, and cancels the question unless background responses are allowed or there is a token.</param>
    /// <inheritdoc cref="GetResponseAsync" path="/exception"/>
    /// <exception cref="AnswerRestartedException">The text so far was withdrawn.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        StreamAsync(new ChatCall(messages, options, this), cancellationToken);

    /// <summary>Cancels the question of a background response, whoever asked it. Harmless if it has ended.</summary>
    /// <param name="token">A token of the response.</param>
    /// <param name="cancellationToken">Ends the wait, not the cancel.</param>
    /// <exception cref="ArgumentException">The token is not one of a <see cref="SessionChatClient"/>.</exception>
    /// <exception cref="SessionRefusedException"><c>question_not_found</c>: the server does not know the question.</exception>
    public async Task CancelAsync(ResponseContinuationToken token, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(token);
        var position = AnswerToken.Of(token, nameof(token)).Position;
        using var patience = new Patience(_options.AcceptTimeout, _options.TimeProvider, cancellationToken);
        using var lease = await patience.WaitAsync(_pool.AcquireAsync(position.Session, patience)).ConfigureAwait(false);
        await patience.WaitAsync(CancelAsync(lease.Client, position.QuestionId, patience.Token)).ConfigureAwait(false);

        static async Task<bool> CancelAsync(SessionClient client, string questionId, CancellationToken cancellationToken)
        {
            await client.CancelAsync(questionId, cancellationToken).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>Returns this client, or its <see cref="ChatClientMetadata"/>.</summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Begins to close all connections, and does not wait. Questions of background responses are answered all the same. Safe to call twice.</summary>
    public void Dispose() => _ = _pool.DisposeAsync().AsTask();

    /// <summary>Closes all connections. Questions of background responses are answered all the same. Safe to call twice.</summary>
    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(ChatCall call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var results = new ChatResults(call.Session);
        var text = new CallerText(call.Token?.Given ?? TextPrefix.Empty);
        await foreach (var update in ReadAsync(call, cancellationToken).ConfigureAwait(false))
        {
            var piece = "";
            switch (update)
            {
                case AnswerAccepted when call.Token is not null:
                    // The caller has text already, and the position of this update is before it.
                    continue;
                case AnswerRestarted:
                    text.Restart();
                    continue;
                case AnswerEnded ended:
                    if (text.IsBehind)
                    {
                        throw Restarted(call, update);
                    }

                    yield return results.LastUpdate(ended);
                    yield break;
                case AnswerText next:
                    piece = text.Take(next.Text) ?? throw Restarted(call, update);
                    if (piece.Length == 0)
                    {
                        continue;
                    }

                    break;
            }

            yield return results.Update(update, piece, call.HasTokens ? new AnswerToken(update.Position, text.Given) : null);
        }
    }

    private static AnswerRestartedException Restarted(ChatCall call, AnswerUpdate update)
    {
        // Its caller has the token to continue, so the question must not be cancelled.
        call.LetGoOn();
        return new(update.QuestionId, new AnswerToken(update.Position with { Deltas = 0 }, TextPrefix.Empty));
    }

    private async Task<ChatResponse> LookAsync(ChatCall call, ChatResults results, CancellationToken cancellationToken)
    {
        using var patience = new Patience(_options.AcceptTimeout, _options.TimeProvider, cancellationToken);
        using var lease = await patience.WaitAsync(_pool.AcquireAsync(call.Session, patience)).ConfigureAwait(false);
        var id = call.Token!.Position.QuestionId;
        try
        {
            var stored = await patience.WaitAsync(lease.Client.GetQuestionAsync(id, patience.Token)).ConfigureAwait(false)
                ?? throw new QuestionLostException(id);
            return stored.End is null ? results.Unfinished(call.Token) : results.Response(stored.End);
        }
        catch (HttpRequestException fault)
        {
            throw new SessionException("not_reached", $"The server could not be reached. {fault.Message}", fault);
        }
    }

    /// <summary>
    /// Reads an answer to its end. Whoever leaves before leaves a question without a reader, which is cancelled if it is not allowed to go on.
    /// </summary>
    private async IAsyncEnumerable<AnswerUpdate> ReadAsync(ChatCall call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var patience = new Patience(_options.AcceptTimeout, _options.TimeProvider, cancellationToken);
        using var lease = await patience.WaitAsync(_pool.AcquireAsync(call.Session, patience)).ConfigureAwait(false);
        var answer = call.StartAsync(lease.Client);
        var (isAccepted, isOver) = (false, false);
        try
        {
            await using var updates = answer.GetAsyncEnumerator(patience.Token);
            while (await NextAsync().ConfigureAwait(false))
            {
                patience.Accepted();
                isAccepted = true;
                isOver = updates.Current is AnswerEnded;
                yield return updates.Current;
            }

            async Task<bool> NextAsync()
            {
                try
                {
                    return await patience.WaitAsync(updates.MoveNextAsync().AsTask()).ConfigureAwait(false);
                }
                catch (SessionException)
                {
                    // The server refused or lost the question, or the session stopped. A question that was only not accepted in time can still be.
                    isOver = !patience.IsOver;
                    throw;
                }
            }
        }
        finally
        {
            // Without an update, the caller has no token to continue with, and is told that the question was not accepted.
            var isUnreachable = patience.IsOver && !isAccepted && call.Token is null;
            if (!isOver && (call.CancelsQuestion || isUnreachable))
            {
                await StopAsync(lease, answer.QuestionId).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Cancels a question whose caller is gone. It waits a while for the server, so that the caller can ask the next question at once.</summary>
    private async Task StopAsync(SessionLease lease, string questionId)
    {
        var stopping = CancelAndReturnAsync(lease.Share(), questionId);
        _pool.Own(stopping);
        if (lease.Client.State != SessionState.Live)
        {
            return;
        }

        await stopping.WaitAsync(_options.CancelTimeout, _options.TimeProvider).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task CancelAndReturnAsync(SessionLease lease, string questionId)
    {
        using (lease)
        {
            try
            {
                var patience = _options.IdleTimeout > _options.CancelTimeout ? _options.IdleTimeout : _options.CancelTimeout;
                await lease.Client.CancelAsync(questionId).WaitAsync(patience, _options.TimeProvider).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is SessionException or TimeoutException)
            {
                // The server does not know the question, the session has stopped, or the server is away. There is no one left to tell, and the server's own
                // timers end a question that it has.
            }
        }
    }
}
