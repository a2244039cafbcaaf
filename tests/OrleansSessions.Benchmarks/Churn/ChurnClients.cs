using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using OrleansSessions.Benchmarks.Load;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Churn;

/// <summary>
/// Clients of sessions that come and go. Of ten sessions, six ask one question on a socket, one asks several with long answers, one is never asked, one asks over
/// HTTP, and one follows by an event stream and asks over HTTP. Half of them belong to callers with a scope of their own, a hundred sessions each.
/// </summary>
internal sealed class ChurnClients(ServerProcess server) : IDisposable
{
    private const int SessionsAtOnce = 1000;
    private const int SessionsOfScope = 100;
    private const int ParallelRequests = 16;
    private const int LongAnswers = 4;
    private const int WordsOfLongAnswer = 400;

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server.Http };

    /// <summary>Lets so many sessions come, some at a time, until each has its answers and its client is gone.</summary>
    public async Task RunAsync(string name, int sessions, CancellationToken cancellationToken)
    {
        for (var from = 0; from < sessions; from += SessionsAtOnce)
        {
            await RunAsync(name, [.. Enumerable.Range(from, Math.Min(SessionsAtOnce, sessions - from))], cancellationToken);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task RunAsync(string name, int[] sessions, CancellationToken cancellationToken)
    {
        // 1. All sockets are open at the same time, and each asks.
        var sockets = Array.FindAll(sessions, session => session % 10 < 8);
        var askers = await LoadGenerator.AttachAsync(sockets.Length, i => Create(name, sockets[i]), cancellationToken);
        await LoadGenerator.AskOnceAsync([.. askers.Where((_, i) => sockets[i] % 10 < 7)], cancellationToken);
        for (var i = 1; i < LongAnswers; i++)
        {
            await LoadGenerator.AskOnceAsync([.. askers.Where((_, i) => sockets[i] % 10 == 6)], cancellationToken);
        }

        // 2. The others ask over HTTP.
        await Parallel.ForEachAsync(
            sessions.Where(session => session % 10 >= 8), new ParallelOptions { MaxDegreeOfParallelism = ParallelRequests, CancellationToken = cancellationToken },
            async (session, token) => await AskOverHttpAsync(name, session, isFollowed: session % 10 == 9, token));
        await LoadGenerator.CloseAsync(askers);
    }

    private V1Asker Create(string name, int session) =>
        new(new(server.WebSocket, $"/ws/{NameOf(name, session)}?v=1"), words: session % 10 == 6 ? WordsOfLongAnswer : 1, TokenFor(session));

    private async Task AskOverHttpAsync(string name, int session, bool isFollowed, CancellationToken cancellationToken)
    {
        var path = $"/v1/sessions/{NameOf(name, session)}";
        using var events = isFollowed ? await SendAsync(new(HttpMethod.Get, path + "/events"), session, cancellationToken) : null;
        var question = string.Create(CultureInfo.InvariantCulture, $"churn {session}");
        var ask = new HttpRequestMessage(HttpMethod.Post, path + "/questions")
        {
            Content = new StringContent($$"""{"question":"{{question}}"}""", Encoding.UTF8, "application/json"),
        };
        ask.Headers.Add("Prefer", "wait=20");
        using var reply = await SendAsync(ask, session, cancellationToken);
        var answer = await reply.Content.ReadAsStringAsync(cancellationToken);
        if (!answer.Contains(question, StringComparison.Ordinal) || !answer.Contains("completed", StringComparison.Ordinal))
        {
            throw new WrongAnswerException($"{path}: {answer}");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, int session, CancellationToken cancellationToken)
    {
        if (TokenFor(session) is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return response.IsSuccessStatusCode ? response : throw new WrongAnswerException(
            $"{request.RequestUri}: {response.StatusCode} {await response.Content.ReadAsStringAsync(cancellationToken)}");
    }

    private static string? TokenFor(int session) => session / SessionsOfScope % 2 == 0 ? null : ChurnServer.TokenOf(session / SessionsOfScope);

    private static string NameOf(string name, int session) => string.Create(CultureInfo.InvariantCulture, $"{name}-{session}");
}
