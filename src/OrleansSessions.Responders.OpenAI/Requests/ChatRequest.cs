using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OrleansSessions.Responders.OpenAI.Requests;

/// <summary>The request for one answer. It can be sent more than once; each time it has the same idempotency key.</summary>
internal sealed class ChatRequest
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly OpenAIOptions _options;
    private readonly ResponderContext _context;
    private readonly string _idempotencyKey = Guid.NewGuid().ToString("n");
    private readonly ReadOnlyMemory<byte> _body;

    public ChatRequest(OpenAIOptions options, ResponderContext context, QuestionChoice choice)
    {
        _options = options;
        _context = context;
        Fields = RequestFields.Of(options, choice);
        _body = Write(choice);
    }

    /// <summary>The names of the body's fields.</summary>
    public IReadOnlyList<string> Fields { get; }

    /// <summary>True if the headers are sent that say for whom the answer is.</summary>
    public static bool SendsContext(OpenAIOptions options) => options.SendContextHeaders ?? Endpoints.IsOwnNetwork(new Uri(options.Endpoint));

    /// <summary>Returns a new message for the request, because a message can be sent only once.</summary>
    /// <param name="sendsContext">What <see cref="SendsContext"/> returned for the endpoint.</param>
    public HttpRequestMessage ToMessage(Uri address, bool sendsContext)
    {
        var message = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ReadOnlyMemoryContent(_body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var headers = message.Headers;
        headers.Accept.ParseAdd("text/event-stream");
        headers.Accept.ParseAdd("application/json");
        headers.AcceptEncoding.ParseAdd("identity");
        headers.UserAgent.ParseAdd("OrleansSessions");
        if (_options.ApiKey.Length > 0)
        {
            headers.Authorization = new AuthenticationHeaderValue("Bearer", _options.ApiKey);
        }

        if (sendsContext)
        {
            AddContext(headers);
        }

        foreach (var (name, value) in _options.Headers)
        {
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    private void AddContext(HttpRequestHeaders headers)
    {
        AddText(headers, "X-Session-Id", _context.SessionId);
        AddText(headers, "X-Session-Scope", _context.Scope);
        AddText(headers, "X-Question-Id", _context.QuestionId);
        AddText(headers, "X-Attempt", AttemptText());
        AddText(headers, "Idempotency-Key", _idempotencyKey);
        AddText(headers, "traceparent", _context.TraceParent);
    }

    /// <summary>A host that calls the grain itself can use ids that a header cannot carry. They are left out.</summary>
    private static void AddText(HttpRequestHeaders headers, string name, string? value)
    {
        if (value is { Length: > 0 } && Ascii.IsValid(value) && !value.Any(char.IsControl))
        {
            headers.TryAddWithoutValidation(name, value);
        }
    }

    private ReadOnlyMemory<byte> Write(QuestionChoice choice)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(bytes, Writing))
        {
            json.WriteStartObject();
            foreach (var field in Fields)
            {
                json.WritePropertyName(field);
                WriteValue(json, field, choice);
            }

            json.WriteEndObject();
        }

        return bytes.WrittenMemory;
    }

    private void WriteValue(Utf8JsonWriter json, string field, QuestionChoice choice)
    {
        switch (field)
        {
            case RequestFields.Model:
                json.WriteStringValue(choice.Model);
                break;
            case RequestFields.Messages:
                WriteMessages(json, choice.SystemPrompt);
                break;
            case RequestFields.Stream:
                json.WriteBooleanValue(true);
                break;
            case RequestFields.StreamOptions:
                json.WriteStartObject();
                json.WriteBoolean("include_usage", true);
                json.WriteEndObject();
                break;
            case RequestFields.MaxCompletionTokens or RequestFields.MaxTokens:
                json.WriteNumberValue(_options.MaxOutputTokens!.Value);
                break;
            case RequestFields.Temperature:
                json.WriteNumberValue(choice.Temperature!.Value);
                break;
            case RequestFields.User:
                json.WriteStringValue(_context.User ?? _context.SessionId);
                break;
            case RequestFields.Metadata:
                WriteMetadata(json);
                break;
        }
    }

    private void WriteMessages(Utf8JsonWriter json, string systemPrompt)
    {
        json.WriteStartArray();
        if (systemPrompt.Length > 0)
        {
            WriteMessage(json, "system", systemPrompt);
        }

        foreach (var pair in _context.History)
        {
            // Without its answer, a question would be followed by another one. Strict chat templates refuse that.
            if (pair.Answer.Length > 0)
            {
                WriteMessage(json, "user", pair.Question);
                WriteMessage(json, "assistant", pair.Answer);
            }
        }

        WriteMessage(json, "user", _context.Question);
        json.WriteEndArray();
    }

    private static void WriteMessage(Utf8JsonWriter json, string role, string content)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", content);
        json.WriteEndObject();
    }

    /// <summary>Writes the question's own metadata, and ours. Ours win, so that a client cannot pretend to be another session.</summary>
    private void WriteMetadata(Utf8JsonWriter json)
    {
        (string Name, string Value)[] own =
            [("session_id", _context.SessionId), ("question_id", _context.QuestionId), ("attempt", AttemptText()), ("session_scope", _context.Scope)];
        json.WriteStartObject();
        if (_context.MetadataJson is not null)
        {
            using var metadata = JsonDocument.Parse(_context.MetadataJson);
            foreach (var property in metadata.RootElement.EnumerateObject().Where(property => !own.Any(field => field.Name == property.Name)))
            {
                property.WriteTo(json);
            }
        }

        foreach (var (name, value) in own.Where(field => field.Value.Length > 0))
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    }

    private string AttemptText() => _context.Attempt.ToString(CultureInfo.InvariantCulture);
}
