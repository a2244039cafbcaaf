using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using OrleansSessions.Benchmarks.Load;

namespace OrleansSessions.Benchmarks.Failover;

/// <summary>Asks one node for sessions, over HTTP and with new sockets, until it answers.</summary>
internal sealed class SessionProbe(Uri node) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = node };

    /// <summary>Asks a question there. The session is activated on the node that is asked first.</summary>
    public async Task AskAsync(string session, string question, string questionId, CancellationToken cancellationToken)
    {
        var body = new Dictionary<string, string> { ["question"] = question, ["id"] = questionId };
        using var reply = await _http.PostAsJsonAsync(new Uri($"/v1/sessions/{session}/questions", UriKind.Relative), body, cancellationToken);
        if (reply.StatusCode != HttpStatusCode.Accepted)
        {
            throw new WrongAnswerException($"a question was not accepted: {await reply.Content.ReadAsStringAsync(cancellationToken)}");
        }
    }

    public async Task CancelAsync(string session, string questionId, CancellationToken cancellationToken)
    {
        using var reply = await _http.PostAsync(
            new Uri($"/v1/sessions/{session}/questions/{questionId}/cancel", UriKind.Relative), content: null, cancellationToken);
        if (reply.StatusCode != HttpStatusCode.Accepted)
        {
            throw new WrongAnswerException($"a cancel was not accepted: {await reply.Content.ReadAsStringAsync(cancellationToken)}");
        }
    }

    /// <summary>Returns the state of a question.</summary>
    public async Task<JsonElement> QuestionAsync(string session, string questionId, CancellationToken cancellationToken) =>
        await _http.GetFromJsonAsync<JsonElement>(new Uri($"/v1/sessions/{session}/questions/{questionId}", UriKind.Relative), cancellationToken);

    /// <summary>Asks for the session again and again. Returns the time of the first answer, as a timestamp.</summary>
    public Task<long> UntilReadAsync(string session, CancellationToken cancellationToken) => UntilAsync(
        async () =>
        {
            using var reply = await _http.GetAsync(new Uri($"/v1/sessions/{session}", UriKind.Relative), cancellationToken);
            return reply.StatusCode == HttpStatusCode.OK;
        },
        cancellationToken);

    /// <summary>Opens a new socket again and again. Returns the time of the first <c>hello</c>, as a timestamp.</summary>
    public Task<long> UntilAttachedAsync(string session, CancellationToken cancellationToken) => UntilAsync(
        async () =>
        {
            using var socket = new FrameSocket(new UriBuilder(node) { Scheme = "ws", Path = $"/ws/{session}", Query = "v=1" }.Uri);
            await socket.ConnectAsync(cancellationToken);
            var frame = Encoding.UTF8.GetString((await socket.ReceiveAsync()).Span);
            await socket.CloseAsync();
            return frame.StartsWith("""{"type":"hello""", StringComparison.Ordinal);
        },
        cancellationToken);

    public void Dispose() => _http.Dispose();

    private static async Task<long> UntilAsync(Func<Task<bool>> isAnswered, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (await isAnswered())
                {
                    return Stopwatch.GetTimestamp();
                }
            }
            catch (Exception fault) when (fault is HttpRequestException or WebSocketException or WrongAnswerException)
            {
                // Refused or closed, as a client sees it while the session's node is lost.
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }
}
