using System.Net.ServerSentEvents;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Servers;

/// <summary>An open stream of server-sent events.</summary>
internal sealed class EventStream : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly ServerScene _scene;
    private readonly IAsyncEnumerator<SseItem<string>>? _items;

    private EventStream(HttpResponseMessage response, ServerScene scene, Stream? body)
    {
        (_response, _scene) = (response, scene);
        _items = body is null ? null : SseParser.Create(body).EnumerateAsync().GetAsyncEnumerator();
    }

    public int Status => (int)_response.StatusCode;

    public static async Task<EventStream> OpenAsync(HttpResponseMessage response, ServerScene scene)
    {
        scene.Transcript.Add("server", $"{(int)response.StatusCode} {response.Content.Headers.ContentType}");
        if ((int)response.StatusCode != 200)
        {
            return new(response, scene, null);
        }

        Check.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType, "the content type of an event stream");
        return new(response, scene, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>Returns the next event with its id, or null at the end of the stream.</summary>
    public async Task<(string? Id, Frame Frame)?> NextAsync()
    {
        Check.That(_items is not null, "an event stream", $"the status {Status}");
        var isOne = await _scene.Patience.ForAsync("the next event of the stream", cancellation => _items!.MoveNextAsync().AsTask().WaitAsync(cancellation));
        if (!isOne)
        {
            _scene.Transcript.Add("server", "ends the stream");
            return null;
        }

        _scene.Transcript.Add("server", $"id {_items!.Current.EventId}: {_items.Current.Data}");
        var frame = Frame.Parse(_items.Current.Data);
        FrameForms.Hold(frame);
        return (_items.Current.EventId, frame);
    }

    /// <summary>Returns the next event, which must carry this frame.</summary>
    public async Task<(string? Id, Frame Frame)> ExpectAsync(string type)
    {
        var next = await NextAsync() ?? throw new CaseFailedException($"'{type}'", "the end of the stream");
        Check.That(next.Frame.Type == type, $"'{type}'", next.Frame);
        return next;
    }

    /// <summary>Returns all events up to the end of the stream.</summary>
    public async Task<List<(string? Id, Frame Frame)>> RestAsync()
    {
        var all = new List<(string? Id, Frame Frame)>();
        while (await NextAsync() is { } next)
        {
            all.Add(next);
        }

        return all;
    }

    public void Dispose() => _response.Dispose();
}
