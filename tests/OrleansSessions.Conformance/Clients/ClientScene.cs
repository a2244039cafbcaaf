using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Clients;

/// <summary>One case for a client: its session on the scripted server, and the client itself.</summary>
internal sealed class ClientScene : ICaseScene
{
    /// <summary>What a case says of a client that does not leave it to its caller to ask again.</summary>
    public const string AskedAgain = "asked again by itself";

    private const int MaxAttempts = 1_000;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private readonly ScriptedServer _server;
    private readonly IClientUnderTest _client;
    private readonly Channel<UpgradeAttempt> _attempts = Channel.CreateBounded<UpgradeAttempt>(MaxAttempts);
    private readonly ConcurrentBag<UpgradeAttempt> _open = [];
    private volatile bool _isFinishing;
    private bool _hasExited;

    public ClientScene(ScriptedServer server, Func<IClientUnderTest> start, Patience patience)
    {
        _server = server;
        Patience = patience;
        Http = new(this);
        Lines = new(_client = start(), this);
        server.Add(this);
    }

    public string Session { get; } = $"s-{Guid.NewGuid():N}";

    public Transcript Transcript { get; } = new();

    public Patience Patience { get; }

    public string Remarks => _client.Remarks;

    /// <summary>What the client writes.</summary>
    public ClientLines Lines { get; }

    /// <summary>What the server answers over HTTP.</summary>
    public ScriptedHttp Http { get; }

    /// <inheritdoc/>
    public string? Choice { get; private set; }

    /// <summary>Gives the client one line.</summary>
    public Task DoAsync(object line) => WriteAsync(JsonSerializer.Serialize(line));

    /// <summary>Tells the client to connect.</summary>
    public Task ConnectAsync(string? token = null) => token is null
        ? DoAsync(new { @do = "connect", url = _server.Address, session = Session })
        : DoAsync(new { @do = "connect", url = _server.Address, session = Session, token });

    public Task AskAsync(string id, string question = "Say hello to all") => DoAsync(new { @do = "ask", id, question });

    /// <summary>Returns the client's next request for a socket.</summary>
    public Task<UpgradeAttempt> AttemptAsync() =>
        (_open.IsEmpty ? Patience.ForStart : Patience).ForAsync("the client connects", async cancellation =>
        {
            var attempt = _attempts.Reader.ReadAsync(cancellation).AsTask();
            var exit = _client.ExitAsync(cancellation);
            if (await Task.WhenAny(attempt, exit) == exit && !attempt.IsCompleted)
            {
                throw new CaseFailedException("the client connects", $"the end of the program, with {await exit}");
            }

            return await attempt;
        });

    /// <summary>Opens a socket that begins with this frame.</summary>
    public async Task<ScriptedSocket> AcceptAsync(string hello)
    {
        var socket = await (await AttemptAsync()).OpenAsync();
        await socket.SendAsync(hello);
        return socket;
    }

    /// <summary>Tells the client to connect, opens a socket at position 0, and waits until the client is live.</summary>
    public async Task<ScriptedSocket> GoLiveAsync(string? token = null)
    {
        await ConnectAsync(token);
        var socket = await AcceptAsync(ServerFrames.Hello());
        await Lines.StateAsync("live");
        return socket;
    }

    /// <summary>Goes live, asks, and takes the question from the socket.</summary>
    public async Task<ScriptedSocket> AskLiveAsync(string id = "q-1", string question = "Say hello to all")
    {
        var socket = await GoLiveAsync();
        await AskAsync(id, question);
        var frame = await socket.ExpectAsync("question");
        Check.Equal(id, frame.Text("id"), "the id of the question");
        Check.Equal(question, frame.Text("question"), "the text of the question");
        return socket;
    }

    /// <summary>Refuses the next request for a socket.</summary>
    public async Task RefuseAsync(Refusal refusal)
    {
        var attempt = await AttemptAsync();
        Http.Refusal = refusal;
        await attempt.RefuseAsync(refusal);
    }

    public void EndInput()
    {
        Transcript.Add("stdin", "ends");
        _client.EndInput();
    }

    /// <summary>Makes sure that the client has read all lines so far: it answers a look at the history.</summary>
    public async Task HasReadLinesAsync()
    {
        await DoAsync(new { @do = "history" });
        await Lines.UntilAsync("history");
    }

    /// <summary>Returns the frame of this type, or null if the client sent this request instead.</summary>
    public Task<Frame?> UntilHttpOrFrameAsync(string request, ScriptedSocket socket, string type) =>
        Patience.ForAsync($"a frame '{type}' or the request {request}", async cancellation =>
        {
            while (!Http.Requests.Contains(request))
            {
                if (await socket.UntilPongOrAsync(type) is { } frame)
                {
                    return frame;
                }

                await Task.Delay(PollInterval, TimeProvider.System, cancellation);
            }

            return null;
        });

    /// <summary>
    /// Waits for the end of a question that the server had accepted. If the client asks it again without looking it up, which a program may do, it is sent
    /// these frames.
    /// </summary>
    public async Task<Frame> UntilOverAsync(string id, ScriptedSocket socket, params string[] answer)
    {
        var over = Lines.UntilAsync(["ended", "lost"], id);
        while (!over.IsCompleted)
        {
            if (await socket.UntilPongOrAsync("question") is { } again)
            {
                Check.Equal(id, again.Text("id"), "the id of the question that is asked again");
                Check.Equal("Say hello to all", again.Text("question"), "the text of the question that is asked again");
                Choice = AskedAgain;
                await socket.SendAsync(answer);
                break;
            }

            await Task.Delay(PollInterval, TimeProvider.System);
        }

        var end = await over;
        Check.That(Choice is null || end.Text("event") == "ended", "the end of the question that was asked again", end);
        return end;
    }

    /// <summary>Closes the socket, and waits for the client's next request for one, which must not come before this time is over.</summary>
    public async Task CloseAndExpectWaitAsync(ScriptedSocket socket, int code, int waitMs)
    {
        var closedMs = TimeProvider.System.GetElapsedTime(0).TotalMilliseconds;
        await socket.CloseAsync(code);
        var attempt = await AttemptAsync();
        // The client's timer can be a little early.
        Check.That(attempt.AtMs - closedMs >= waitMs - 20, $"a wait of at least {waitMs} ms", $"{attempt.AtMs - closedMs:0} ms");
    }

    /// <summary>Makes sure that the client has opened no other socket.</summary>
    public void ExpectNoAttempt() => Check.That(!_attempts.Reader.TryPeek(out _), "no further socket", "a request for one");

    /// <summary>Waits for the line. Skips the case if the client comes back, as a page must, which is not told the status of a failed upgrade.</summary>
    /// <param name="isProbeAnswered">The request by which a page learns more shows the refusal, so a client that sent it knows.</param>
    public async Task<Frame> UnlessPageAsync(Task<Frame> line, bool isProbeAnswered)
    {
        long? backSince = null;
        while (!line.IsCompleted)
        {
            backSince ??= _attempts.Reader.TryPeek(out _) ? TimeProvider.System.GetTimestamp() : null;
            // The probe can come later than the next request for a socket.
            if (backSince is { } since && (Http.HasProbed ? !isProbeAnswered : TimeProvider.System.GetElapsedTime(since) > Patience.Moment))
            {
                throw new CaseSkippedException("The client comes back, as a page must, which cannot see the status of an upgrade. Others stop.");
            }

            await Task.Delay(PollInterval, TimeProvider.System);
        }

        return await line;
    }

    /// <summary>Waits for the end of the client's output and process.</summary>
    public async Task ExitAsync()
    {
        await Lines.EndAsync();
        Check.Equal(0, await Patience.ForAsync("the program ends after 'stopped'", _client.ExitAsync), "the exit code");
        _hasExited = true;
    }

    /// <summary>Closes the client, if it still runs, and holds what it still writes against what all clients promise.</summary>
    public async Task FinishAsync()
    {
        if (_hasExited)
        {
            return;
        }

        _isFinishing = true;
        Http.Release();
        foreach (var attempt in _open.Where(attempt => !attempt.IsDecided))
        {
            attempt.Abort();
        }

        await DoAsync(new { @do = "close" });
        await Lines.StoppedAsync("closed");
        await ExitAsync();
    }

    public Task OnUpgradeAsync(HttpContext context)
    {
        var attempt = new UpgradeAttempt(context, this);
        Transcript.Add("client", $"opens a socket {context.Request.QueryString}");
        _open.Add(attempt);
        if (_isFinishing)
        {
            attempt.Abort();
            return Task.CompletedTask;
        }

        return _attempts.Writer.TryWrite(attempt) ? attempt.Finished : throw new InvalidOperationException("The client connects without end.");
    }

    public async ValueTask DisposeAsync()
    {
        _server.Remove(this);
        await _client.DisposeAsync();
        foreach (var attempt in _open.Where(attempt => !attempt.Finished.IsCompleted))
        {
            attempt.Abort();
        }
    }

    private Task WriteAsync(string line)
    {
        Transcript.Add("stdin", line);
        Lines.Told(line);
        return _client.SendAsync(line);
    }
}
