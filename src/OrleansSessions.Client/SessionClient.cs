using OrleansSessions.Client.Connections;
using OrleansSessions.Client.Frames;
using OrleansSessions.Client.Http;
using OrleansSessions.Client.Questions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client;

/// <summary>
/// One session: ask, follow, cancel, read. It connects again after a lost connection, and its answers go on then, with nothing lost and nothing twice. All
/// members can be called at any time and by several threads.
/// </summary>
public sealed class SessionClient : IAsyncDisposable
{
    /// <summary>The maximum of <see cref="GetHistoryAsync"/>.</summary>
    public const int MaxHistory = 100;

    private static readonly HttpMessageInvoker SharedInvoker =
        new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2), UseCookies = false });

    private readonly SessionLife _life;
    private readonly SessionApi _api;
    private readonly Task _running;

    private SessionClient(string session, SessionLife life, SessionApi api)
    {
        (Session, _life, _api) = (session, life, api);
        _running = Task.Run(life.RunAsync);
    }

    /// <summary>The session id.</summary>
    public string Session { get; }

    /// <summary>The state of the connection. <see cref="SessionClientOptions.OnStateChanged"/> is called for each new one.</summary>
    public SessionState State => _life.State;

    /// <summary>
    /// Why the last connection was lost or could not be had, as far as it is known. Null before the first attempt, and while the session is live.
    /// </summary>
    public Exception? Cause => _life.Cause;

    /// <summary>Completes with the reason when the session has stopped. It never fails.</summary>
    public Task<SessionStop> Stopped => _life.Stopped;

    /// <summary>Opens a session, and returns when it is live. Until then, lost connections are tried again, as they are later.</summary>
    /// <param name="url">
    /// The address of the server, <c>http(s)://host[:port][/prefix]</c>; <c>ws</c> and <c>wss</c> mean the same. Its query is sent with each request,
    /// for example <c>?scope=…</c>.
    /// </param>
    /// <param name="session">The session id: 1 to 128 characters from <c>A-Z a-z 0-9 . _ ~ : @ -</c>. A session begins with its first question.</param>
    /// <param name="options">How to reach the server. Default: without a token.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The address or the session id is not valid. Nothing was sent.</exception>
    /// <exception cref="SessionStoppedException">The server refused the client, or the two do not understand each other.</exception>
    public static async Task<SessionClient> ConnectAsync(
        Uri url, string session, SessionClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        var client = Start(url, session, options);
        try
        {
            await client.LiveAsync(cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Opens a session, and returns at once. What is asked before it is live is sent when it is, and what is followed misses nothing of its first connection.
    /// </summary>
    /// <inheritdoc cref="ConnectAsync" path="/param"/>
    /// <exception cref="ArgumentException">The address or the session id is not valid. Nothing was sent.</exception>
    public static SessionClient Start(Uri url, string session, SessionClientOptions? options = null)
    {
        options = options?.Copy() ?? new();
        var addresses = new SessionAddresses(url, session, options);
        var invoker = options.Invoker ?? SharedInvoker;
        var api = new SessionApi(session, addresses, options, invoker);
        return new(session, new(session, options, new(addresses, options, invoker), api), api);
    }

    /// <summary>Waits until the session is live for the first time.</summary>
    /// <param name="cancellationToken">Ends the wait. The session goes on.</param>
    /// <exception cref="SessionStoppedException">It stopped before.</exception>
    public async Task LiveAsync(CancellationToken cancellationToken = default)
    {
        await Task.WhenAny(_life.FirstLive, Stopped).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!_life.FirstLive.IsCompleted)
        {
            throw new SessionStoppedException(await Stopped.ConfigureAwait(false));
        }
    }

    /// <summary>
    /// Asks a question. While there is no connection, it waits for the next one; if the connection is lost before the server has accepted it, it is sent again
    /// with its id, so it is never asked twice.
    /// </summary>
    /// <param name="question">The question. Not empty.</param>
    /// <param name="options">How to ask it. Default: a random id, and refused if another question is open.</param>
    /// <param name="cancellationToken">Ends the waits for the answer, not the question.</param>
    /// <returns>The answer, to be streamed or awaited. What goes wrong is thrown there.</returns>
    /// <exception cref="ArgumentException">The question is empty, or the id is not valid.</exception>
    public Answer AskAsync(string question, AskOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(question);
        var id = options?.Id ?? Identifiers.NewQuestionId();
        CheckQuestionId(id, nameof(options));
        var frame = ClientFrames.Question(id, question, options?.IfBusy ?? IfBusy.Reject, options?.Options, options?.Metadata);
        lock (_life.Gate)
        {
            return new(_life.Core.Ask(id, question, frame), null, _life.Gate, cancellationToken);
        }
    }

    /// <summary>
    /// Cancels a question, whoever asked it. Returns when the server has taken it: its answer then ends as <see cref="QuestionStatus.Cancelled"/>. It is
    /// harmless to cancel twice, or a question that has ended. Without a connection, it waits for the next one; a question that waits for it, too, is not sent
    /// then, and ends as cancelled at once.
    /// </summary>
    /// <param name="questionId">The question. Default null: the one that is being answered.</param>
    /// <param name="cancellationToken">Ends the wait, not the cancel.</param>
    /// <exception cref="SessionRefusedException"><c>question_not_found</c> or <c>no_open_question</c>.</exception>
    /// <exception cref="SessionStoppedException">The session stopped before.</exception>
    public async Task CancelAsync(string? questionId = null, CancellationToken cancellationToken = default)
    {
        if (questionId is not null)
        {
            CheckQuestionId(questionId, nameof(questionId));
        }

        Task<SessionException?> answer;
        lock (_life.Gate)
        {
            answer = _life.Core.CancelAsync(questionId);
        }

        if (await answer.WaitAsync(cancellationToken).ConfigureAwait(false) is { } refusal)
        {
            throw refusal;
        }
    }

    /// <summary>
    /// Follows all questions of the session, whoever asks them, from the beginning of the enumeration on; the open ones first, with their text so far. A
    /// question ends with <see cref="AnswerEnded"/> or <see cref="AnswerFailed"/>. If so much happened without a connection that the server cannot repeat it, the
    /// last question of that time is told whole, and the others that ended in it are only in the history. The server does not say when its last question ended:
    /// one that this client has known as ended, or that can have ended before it connected, is not told. The sequence ends when the caller closes the session,
    /// and throws <see cref="SessionStoppedException"/> if it stops for another reason. A reader that leaves the updates of more than 256 questions unread gets
    /// a <see cref="SessionException"/> with the code <c>reader_too_slow</c>.
    /// </summary>
    public IAsyncEnumerable<AnswerUpdate> FollowAsync() => new SessionUpdates(_life.Core.Questions, _life.Gate);

    /// <summary>Follows one question, whoever asked it, from its beginning to its end. One that has ended is read from the server.</summary>
    /// <param name="questionId">The question.</param>
    /// <param name="cancellationToken">Ends the waits for the answer, not the question.</param>
    /// <returns>The answer. It throws <see cref="QuestionLostException"/> if the server does not know the question.</returns>
    public Answer FollowAsync(string questionId, CancellationToken cancellationToken = default)
    {
        CheckQuestionId(questionId, nameof(questionId));
        lock (_life.Gate)
        {
            return new(_life.Core.Follow(questionId), null, _life.Gate, cancellationToken);
        }
    }

    /// <summary>
    /// Goes on with an answer from a position of an earlier enumeration, perhaps of another process: its updates begin after the text that the reader has. If
    /// that text has been withdrawn since then, they begin with <see cref="AnswerRestarted"/> and the whole text.
    /// </summary>
    /// <param name="from">The position of the last update that was read.</param>
    /// <param name="cancellationToken">Ends the waits for the answer, not the question.</param>
    /// <returns>The answer. It throws <see cref="QuestionLostException"/> if the server does not know the question.</returns>
    /// <exception cref="ArgumentException">The position is of another session.</exception>
    public Answer ResumeAsync(AnswerPosition from, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (from.Session != Session)
        {
            throw new ArgumentException($"The position is of the session '{from.Session}', and this is the session '{Session}'.", nameof(from));
        }

        lock (_life.Gate)
        {
            return new(_life.Core.Follow(from.QuestionId), from, _life.Gate, cancellationToken);
        }
    }

    /// <summary>Reads the last questions and answers over HTTP, oldest first. Safe to repeat.</summary>
    /// <param name="limit">The maximum number, 1 to 100.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SessionRefusedException">The server refused the request.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached.</exception>
    public Task<IReadOnlyList<StoredQuestion>> GetHistoryAsync(int limit = 50, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxHistory);
        return _api.GetHistoryAsync(limit, cancellationToken);
    }

    /// <summary>Reads one question over HTTP, or returns null if the server does not know it. Safe to repeat.</summary>
    /// <inheritdoc cref="GetHistoryAsync" path="/exception"/>
    public Task<StoredQuestion?> GetQuestionAsync(string questionId, CancellationToken cancellationToken = default)
    {
        CheckQuestionId(questionId, nameof(questionId));
        return _api.GetQuestionAsync(questionId, cancellationToken);
    }

    /// <summary>Closes the connection with 1000 and stops. Open questions are answered all the same. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        await _life.StopAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    private static void CheckQuestionId(string id, string parameter)
    {
        if (!Identifiers.IsQuestionId(id))
        {
            throw new ArgumentException(
                $"'{id}' is not a question id: 1 to {Identifiers.MaxQuestionIdLength} characters from A-Z a-z 0-9 . _ ~ : @ - and not '.' or '..'.",
                parameter);
        }
    }
}
