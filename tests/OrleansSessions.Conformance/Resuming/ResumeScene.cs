using System.Text;
using System.Text.Json;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Proxies;
using OrleansSessions.Conformance.Servers;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Resuming;

/// <summary>One case of the script: a session on real servers, and a client whose connections are cut.</summary>
internal sealed class ResumeScene : ICaseScene
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly ResumeTarget _target;
    private readonly IClientUnderTest _client;
    private FrameProxy? _proxy;

    public ResumeScene(ResumeTarget target)
    {
        _target = target;
        Session = $"{target.Servers[0].Options.SessionPrefix}{Guid.NewGuid():N}";
        Plan = new([.. target.Servers.Select(server => server.Address)], Transcript);
        Lines = new(_client = target.StartClient(), this);
    }

    public string Session { get; }

    public CutPlan Plan { get; }

    public ClientLines Lines { get; }

    public Transcript Transcript { get; } = new();

    public Patience Patience => _target.Servers[0].Patience;

    public string Remarks => _client.Remarks;

    public bool IsExternal => _target.Servers[0].IsExternal;

    public string LongQuestion => _target.Servers[0].Options.Question;

    public Func<Task>? LoseServer => _target.LoseServer;

    public async Task DoAsync(object line)
    {
        var json = JsonSerializer.Serialize(line);
        Transcript.Add("stdin", json);
        Lines.Told(json);
        await _client.SendAsync(json);
    }

    /// <summary>Closes the client, and holds what it still writes against what all clients promise.</summary>
    public async Task FinishAsync()
    {
        await DoAsync(new { @do = "close" });
        await Lines.StoppedAsync("closed");
        await Lines.EndAsync();
        Check.Equal(0, await Patience.ForAsync("the program ends after 'stopped'", _client.ExitAsync), "the exit code");
    }

    /// <summary>Waits until so many connections have been cut.</summary>
    public Task UntilCutAsync(int cuts) => Patience.ForAsync("a cut in mid-answer; a longer --question gives time for it", async cancellation =>
    {
        while (Plan.Done < cuts)
        {
            await Task.Delay(PollInterval, TimeProvider.System, cancellation);
        }

        return true;
    });

    /// <summary>Starts the proxy, and tells the client to connect through it.</summary>
    public async Task ConnectAsync()
    {
        _proxy = await FrameProxy.StartAsync(Plan);
        var (url, token) = (_proxy.Address, _target.Servers[0].Options.Token);
        await DoAsync(token is null ? new { @do = "connect", url, session = Session } : new { @do = "connect", url, session = Session, token });
        await Lines.StateAsync("live");
    }

    /// <summary>Sends a request to a server that answers, past the proxy. While no server answers, it is tried again.</summary>
    /// <param name="path">The address below the session.</param>
    public Task<(int Status, Frame? Body)> CallAsync(HttpMethod method, string path, string? body = null) =>
        Patience.ForAsync($"an answer to {method} {path}", async cancellation =>
        {
            for (var i = 0; ; i++)
            {
                try
                {
                    return await CallAsync(_target.Servers[i % _target.Servers.Count], method, path, body, cancellation);
                }
                catch (HttpRequestException)
                {
                    // This server is lost. Another one has the session, or will have it.
                    await Task.Delay(PollInterval, TimeProvider.System, cancellation);
                }
            }
        });

    public async Task AskAsOtherAsync(string id, string question)
    {
        var (status, body) = await CallAsync(HttpMethod.Post, "/questions", Frames.Question(id, question));
        Check.That(status == 202, "202 for a question", body);
    }

    /// <summary>Waits until the session has this question.</summary>
    public Task UntilAcceptedAsync(string id) => Patience.ForAsync($"the question {id} on the server", async cancellation =>
    {
        while ((await CallAsync(HttpMethod.Get, $"/questions/{id}")).Status != 200)
        {
            await Task.Delay(PollInterval, TimeProvider.System, cancellation);
        }

        return true;
    });

    public async Task<Frame> ReadAsync(string id)
    {
        var (status, body) = await CallAsync(HttpMethod.Get, $"/questions/{id}");
        Check.That(status == 200, $"200 for {id}", body);
        return body!;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        try
        {
            await CallAsync(HttpMethod.Delete, "");
        }
        catch (CaseFailedException)
        {
            // A session that remains is forgotten in its time.
        }
    }

    private async Task<(int Status, Frame? Body)> CallAsync(ServerTarget server, HttpMethod method, string path, string? body, CancellationToken cancellation)
    {
        using var request = server.Request(method, $"/{Session}{path}");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await server.Http.SendAsync(request, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        Transcript.Add("http", $"{method} {path} {body} -> {(int)response.StatusCode} {text}");
        return ((int)response.StatusCode, text.StartsWith('{') ? Frame.Parse(text) : null);
    }
}
