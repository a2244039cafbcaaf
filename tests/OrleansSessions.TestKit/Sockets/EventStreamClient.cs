using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>One event: its id, if it has one, and the frame that it carries.</summary>
public sealed record StreamedFrame(string? Id, JsonElement Frame)
{
    public string? Type => Frame.Type();
}

/// <summary>An open stream of server-sent events, read with the platform's own parser.</summary>
public sealed class EventStreamClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly IAsyncEnumerator<SseItem<string>> _items;

    private EventStreamClient(HttpResponseMessage response, Stream body)
    {
        Response = response;
        _items = SseParser.Create(body).EnumerateAsync().GetAsyncEnumerator();
    }

    public HttpResponseMessage Response { get; }

    public static async Task<HttpResponseMessage> GetAsync(HttpClient http, string path, string? lastEventId = null, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        request.Headers.Authorization = token is null ? null : new("Bearer", token);
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
    }

    public static async Task<EventStreamClient> OpenAsync(HttpClient http, string path, string? lastEventId = null, string? token = null) =>
        await OpenAsync(await GetAsync(http, path, lastEventId, token));

    public static async Task<EventStreamClient> AskAsync(HttpClient http, string session, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/{session}/questions");
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        return await OpenAsync(await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience));
    }

    /// <summary>The next event, or null where the stream has ended.</summary>
    public async Task<StreamedFrame?> NextAsync()
    {
        if (!await _items.MoveNextAsync().AsTask().WaitAsync(Patience))
        {
            return null;
        }

        using var document = JsonDocument.Parse(_items.Current.Data);
        return new(_items.Current.EventId, document.RootElement.Clone());
    }

    /// <summary>The next event, which must be of this type.</summary>
    public async Task<StreamedFrame> NextAsync(string type)
    {
        var next = await NextAsync() ?? throw new InvalidOperationException($"The stream ended where '{type}' was expected.");
        return next.Type == type ? next : throw new InvalidOperationException($"Expected '{type}', got {next.Frame}.");
    }

    /// <summary>All events up to the end of the stream.</summary>
    public async Task<List<StreamedFrame>> RestAsync()
    {
        var all = new List<StreamedFrame>();
        while (await NextAsync() is { } next)
        {
            all.Add(next);
        }

        return all;
    }

    public ValueTask DisposeAsync()
    {
        Response.Dispose();
        return default;
    }

    private static async Task<EventStreamClient> OpenAsync(HttpResponseMessage response)
    {
        if (!response.IsSuccessStatusCode || response.Content.Headers.ContentType?.MediaType != "text/event-stream")
        {
            throw new InvalidOperationException($"No event stream: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }

        return new(response, await response.Content.ReadAsStreamAsync());
    }
}
