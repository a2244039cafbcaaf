using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace OrleansSessions.Client.ChatClient.Answers;

/// <summary>One call of the chat client: a question that is asked, or an answer that is continued.</summary>
internal sealed class ChatCall
{
    private readonly string _question = "";
    private readonly AskOptions? _askOptions;

    /// <exception cref="ArgumentException">There is nothing to ask, or the token is not of this conversation.</exception>
    public ChatCall(IEnumerable<ChatMessage> messages, ChatOptions? options, IChatClient client)
    {
        ArgumentNullException.ThrowIfNull(messages);
        IsBackground = options?.AllowBackgroundResponses is true;
        if (options?.ContinuationToken is { } token)
        {
            Token = AnswerToken.Of(token, nameof(options));
            Session = Token.Position.Session;
            if (options.ConversationId is { } conversation && conversation != Session)
            {
                throw new ArgumentException($"The continuation token is of the conversation '{Session}', not of '{conversation}'.", nameof(options));
            }

            return;
        }

        CancelsQuestion = !IsBackground;
        _question = QuestionOf(messages);
        _askOptions = AskOptionsOf(options, client);
        Session = options?.ConversationId ?? Guid.NewGuid().ToString("n");
    }

    public string Session { get; }

    /// <summary>Where the answer is continued; null if a question is asked.</summary>
    public AnswerToken? Token { get; }

    /// <summary>True if the caller allows that the answer goes on without it.</summary>
    public bool IsBackground { get; }

    /// <summary>True if the caller gets tokens.</summary>
    public bool HasTokens => IsBackground || Token is not null;

    /// <summary>True if the question is cancelled when the caller leaves. A call that continues an answer never cancels it.</summary>
    public bool CancelsQuestion { get; private set; }

    public Answer StartAsync(SessionClient session) => Token is null ? session.AskAsync(_question, _askOptions) : session.ResumeAsync(Token.Position);

    /// <summary>The question goes on without its caller, although that was not asked for.</summary>
    public void LetGoOn() => CancelsQuestion = false;

    /// <summary>The last message of the user: everything before it is in the session's own history.</summary>
    private static string QuestionOf(IEnumerable<ChatMessage> messages)
    {
        var message = messages.LastOrDefault(message => message.Role == ChatRole.User)
            ?? throw new ArgumentException("The messages contain none of the user, and the last one of the user is what is asked.", nameof(messages));
        if (message.Contents.FirstOrDefault(content => content is not TextContent) is { } other)
        {
            throw new ArgumentException($"The last message of the user contains a {other.GetType().Name}. A question is text.", nameof(messages));
        }

        return message.Text.Length > 0 ? message.Text : throw new ArgumentException("The last message of the user has no text.", nameof(messages));
    }

    private static AskOptions AskOptionsOf(ChatOptions? options, IChatClient client)
    {
        var given = options?.RawRepresentationFactory?.Invoke(client) as AskOptions ?? new();
        if (options is null or { ModelId: null, Temperature: null })
        {
            return given;
        }

        var chosen = given.Options?.DeepClone() as JsonObject ?? [];
        if (options.ModelId is { } model)
        {
            chosen.TryAdd("model", JsonValue.Create(model));
        }

        if (options.Temperature is { } temperature)
        {
            chosen.TryAdd("temperature", JsonValue.Create(temperature));
        }

        return new() { Id = given.Id, IfBusy = given.IfBusy, Metadata = given.Metadata, Options = chosen };
    }
}
