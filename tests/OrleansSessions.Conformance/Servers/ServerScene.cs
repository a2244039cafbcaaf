using System.Net.Http.Headers;
using System.Text;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Servers;

/// <summary>One case for a server: a session that no one else uses. It is removed afterwards.</summary>
internal sealed class ServerScene : ICaseScene
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly List<WireSocket> _sockets = [];

    public ServerScene(ServerTarget target)
    {
        Target = target;
        Session = $"{target.Options.SessionPrefix}{Guid.NewGuid():N}";
        Answers = new(this);
    }

    public ServerTarget Target { get; }

    public string Session { get; }

    public Transcript Transcript { get; } = new();

    public Patience Patience => Target.Patience;

    public string Remarks => "";

    /// <summary>Makes answers begin, grow and end, whoever the responder is.</summary>
    public ScriptedAnswers Answers { get; }

    /// <summary>Opens a v1 socket and takes its <c>hello</c>.</summary>
    public async Task<WireSocket> OpenAsync(string query = "")
    {
        var socket = await DialAsync(query, [WireSocket.V1]);
        await socket.TakeHelloAsync(query);
        return socket;
    }

    /// <summary>Opens a v1 socket from the position of one that was lost, and takes its <c>hello</c>.</summary>
    public async Task<WireSocket> ComeBackAsync(WireSocket lost)
    {
        var query = $"epoch={lost.Log.Epoch}&after={lost.Log.Last}";
        var socket = await DialAsync(query, [WireSocket.V1]);
        await socket.TakeHelloAsync(query, lost);
        return socket;
    }

    /// <summary>Opens a socket and takes nothing.</summary>
    public async Task<WireSocket> DialAsync(string query, string[] subprotocols, string? session = null, string? origin = null)
    {
        var socket = await WireSocket.ConnectAsync(this, Target.Socket(session ?? Session, query), subprotocols, origin);
        lock (_sockets)
        {
            _sockets.Add(socket);
        }

        return socket;
    }

    /// <param name="path">The address below the session, for example <c>/questions</c>.</param>
    public Task<HttpReply> CallAsync(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers) =>
        CallAnyAsync(method, $"/{Session}{path}", body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"), headers);

    /// <param name="path">The address below <c>/v1/sessions</c>.</param>
    public async Task<HttpReply> CallAnyAsync(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = Target.Request(method, path);
        request.Content = content;
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        Transcript.Add("tool", $"{method} {path} {(content is null ? "" : await content.ReadAsStringAsync())}");
        using var response = await Patience.ForAsync($"an answer to {method} {path}", cancellation => Target.Http.SendAsync(request, cancellation));
        var text = await response.Content.ReadAsStringAsync();
        Transcript.Add("server", $"{(int)response.StatusCode} {text}");
        return new((int)response.StatusCode, response.Headers, response.Content.Headers, text.StartsWith('{') ? Frame.Parse(text) : null);
    }

    public Task<HttpReply> AskOverHttpAsync(string id, string question, string? ifBusy = null, params (string Name, string Value)[] headers) =>
        CallAsync(HttpMethod.Post, "/questions", Frames.Question(id, question, ifBusy), headers);

    /// <summary>Returns a question as HTTP tells it.</summary>
    public async Task<Frame> ReadAsync(string id) => (await CallAsync(HttpMethod.Get, $"/questions/{id}")).Expect(200);

    /// <summary>Waits until the session has this question.</summary>
    public Task UntilAcceptedAsync(string id) => UntilAsync(id, $"the question {id}", _ => true);

    /// <summary>Waits until this question has ended, and returns it.</summary>
    public Task<Frame> UntilEndedAsync(string id) => UntilAsync(id, $"the end of {id}", question => FrameForms.IsFinal(question.Text("status")));

    private Task<Frame> UntilAsync(string id, string expected, Func<Frame, bool> condition) => Patience.ForAsync(expected, async cancellation =>
    {
        while (true)
        {
            var reply = await CallAsync(HttpMethod.Get, $"/questions/{id}");
            if (reply.Status == 200 && condition(reply.Body!))
            {
                return reply.Body!;
            }

            await Task.Delay(PollInterval, TimeProvider.System, cancellation);
        }
    });

    /// <summary>Opens an event stream.</summary>
    /// <param name="path">The address below the session.</param>
    public async Task<EventStream> StreamAsync(string path, string? lastEventId = null, string? question = null)
    {
        using var request = Target.Request(question is null ? HttpMethod.Get : HttpMethod.Post, $"/{Session}{path}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        if (question is not null)
        {
            request.Content = new StringContent(question, Encoding.UTF8, "application/json");
        }

        Transcript.Add("tool", $"{request.Method} {path} as an event stream, after {lastEventId ?? "nothing"}");
        var response = await Patience.ForAsync(
            $"an answer to {request.Method} {path}", cancellation => Target.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation));
        return await EventStream.OpenAsync(response, this);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in _sockets)
        {
            await socket.DisposeAsync();
        }

        try
        {
            using var request = Target.Request(HttpMethod.Delete, $"/{Session}");
            using var response = await Target.Http.SendAsync(request);
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException)
        {
            // A server that has gone away fails the cases. A session that remains is forgotten in its time.
        }
    }
}
