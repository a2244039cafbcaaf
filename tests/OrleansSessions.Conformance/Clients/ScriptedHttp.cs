using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Clients;

/// <summary>What the scripted server answers over HTTP in one case.</summary>
internal sealed class ScriptedHttp(ICaseLimits scene)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<string, (int Status, string Body)> _questions = new();
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _holds;

    /// <summary>The requests so far, as <c>METHOD path</c> below the session.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What the server tells of its history.</summary>
    public string History { get; set; } = """{"questions":[]}""";

    /// <summary>Why the last socket was refused, which a page learns by a request.</summary>
    public Refusal? Refusal { get; set; }

    /// <summary>True after the client has sent the request by which a page learns why a socket was refused.</summary>
    public bool HasProbed { get; private set; }

    /// <summary>What <c>GET questions/{id}</c> returns from now on. A question without an answer here is <c>question_not_found</c>.</summary>
    public void Store(string id, string body) => _questions[id] = (200, body);

    /// <summary>What <c>GET questions/{id}</c> returns from now on.</summary>
    public void Store(string id, Refusal refusal) => _questions[id] = (refusal.Status, refusal.Problem);

    /// <summary>
    /// Keeps the answer to the next look at a question until <see cref="Release"/>. It tells what is stored when the client asks. A client that does nothing
    /// else meanwhile gets it in any case, later.
    /// </summary>
    public void HoldNextLook() => _holds = 1;

    public void Release() => _release.TrySetResult();

    /// <summary>Waits until the client has sent this request.</summary>
    public Task UntilRequestAsync(string request) => scene.Patience.ForAsync($"the request {request}", async cancellation =>
    {
        while (!Requests.Contains(request))
        {
            await Task.Delay(PollInterval, TimeProvider.System, cancellation);
        }

        return true;
    });

    public async Task OnRequestAsync(HttpContext context)
    {
        var rest = (string?)context.GetRouteValue("rest") ?? "";
        var request = $"{context.Request.Method} {rest}";
        Requests.Enqueue(request);
        scene.Transcript.Add("client", request + context.Request.QueryString);
        if (request == "POST questions")
        {
            HasProbed = true;
            await (Refusal ?? Refusal.Of(WireErrors.BadRequest)).WriteAsync(context.Response);
            return;
        }

        var (status, body) = Find(request, rest);
        if (IsLook(request) && Interlocked.Exchange(ref _holds, 0) > 0)
        {
            await Task.WhenAny(_release.Task, Task.Delay(scene.Patience.Moment, TimeProvider.System, context.RequestAborted));
        }

        scene.Transcript.Add("server", $"{status} {body}");
        context.Response.StatusCode = status;
        context.Response.ContentType = status >= 400 ? "application/problem+json" : "application/json";
        await context.Response.WriteAsync(body);
    }

    private (int Status, string Body) Find(string request, string rest) =>
        request == "GET questions" ? (200, History)
        : IsLook(request) && _questions.TryGetValue(rest["questions/".Length..], out var stored) ? stored
        : request.StartsWith("POST questions/", StringComparison.Ordinal) && rest.EndsWith("/cancel", StringComparison.Ordinal)
            ? (202, $$"""{"question_id":"{{rest.Split('/')[1]}}","state":"cancelling"}""")
        : (404, Refusal.Of(WireErrors.QuestionNotFound).Problem);

    private static bool IsLook(string request) => request.StartsWith("GET questions/", StringComparison.Ordinal);
}
