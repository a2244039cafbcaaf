using System.Text.Json;
using OrleansSessions.Chaos.Results;
using OrleansSessions.Chaos.Transcripts;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Clients;

/// <summary>A v1 client as section 12 of the protocol describes it. It comes back on any node, and follows <c>reconnect</c> to another one.</summary>
internal sealed class V1Client : IChaosClient, IAsyncDisposable
{
    private const int SilentHeartbeats = 3;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan HelloPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AskAgainPause = TimeSpan.FromSeconds(1);

    private readonly RunParts _parts;
    private readonly Transcript _transcript;
    private readonly string _session;
    private readonly Random _random;
    private readonly HttpCaller _http;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly FollowedLog _log = new();
    private readonly ReconnectPause _pause;
    private readonly Task _running;
    private SocketLink? _current;
    private SocketLink? _next;
    private TaskCompletionSource? _hello;
    private TimeSpan? _moveAt;
    private TimeSpan? _lostAt;
    private TimeSpan _silence = TimeSpan.FromSeconds(5);
    private int _links;

    public V1Client(RunParts parts, Transcript transcript, string session, int firstNode, Random random)
    {
        (_parts, _transcript, _session, _random) = (parts, transcript, session, random);
        _http = new(parts, transcript, session, random);
        _pause = new(random);
        Flow = new(parts.Clock, parts.Recoveries, Note, noticesSilence: true);
        _log.NeverAccepted += question => _ = SendAsync(question);
        _log.EndMissed += question => _ = LookUpAsync(question);
        parts.Board.Add(transcript.Client, this);
        _running = RunAsync(firstNode);
    }

    public int? Node => _current?.Node;

    public int Link => _current?.Number ?? 0;

    public Flow Flow { get; }

    public bool HasOpenAnswer
    {
        get
        {
            lock (_gate)
            {
                return _log.HasOpenAnswer;
            }
        }
    }

    public void Note(string text) => _transcript.Add(_parts.Clock.Now, Link, EntryKind.Note, text);

    /// <summary>Asks, as often as that takes. The task of the question completes with its end.</summary>
    public async Task AskAsync(OwnQuestion question)
    {
        lock (_gate)
        {
            _log.Add(question);
        }

        await SendAsync(question);
    }

    /// <summary>Sends a question again that was sent before.</summary>
    public Task AskAgainAsync(OwnQuestion question) => SendAsync(question);

    public Task CancelAsync(string questionId) =>
        _current is { } link ? link.SendAsync(JsonSerializer.Serialize(new { type = "cancel", question_id = questionId })) : Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _parts.Board.Remove(_transcript.Client);
        await _stop.CancelAsync();
        await _running;
    }

    private async Task RunAsync(int node)
    {
        await Task.Yield();
        try
        {
            for (; ; node = _parts.Other(node, _random))
            {
                // 1. Connect.
                await RunClock.DelayAsync(_pause.Next(), _stop.Token);
                if (await ConnectAsync(node) is not { } link)
                {
                    continue;
                }

                // 2. Follow, also to other nodes, until a connection ends.
                link = await FollowAsync(link);
                node = link.Node;
                _pause.OnEnd(_parts.Clock.Now - link.OpenedAt);
                _lostAt = _parts.Clock.Now;
                await link.DisposeAsync();
                _current = null;
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            if (_current is { } last)
            {
                await last.CloseAsync();
                await last.DisposeAsync();
            }
        }
    }

    /// <summary>Opens a connection from the current position, and waits for its <c>hello</c>. Then it is the current one.</summary>
    private async Task<SocketLink?> ConnectAsync(int node)
    {
        var link = new SocketLink(_parts, _transcript, ++_links, node);
        var hello = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string path;
        lock (_gate)
        {
            path = $"/ws/{_session}?v=1" + (_log.Epoch is null ? "" : $"&epoch={_log.Epoch}&after={_log.Last}");
            (_next, _hello) = (link, hello);
        }

        if (await link.OpenAsync(path, OnFrameAsync))
        {
            using var patience = new CancellationTokenSource(HelloPatience, TimeProvider.System);
            await Task.WhenAny(hello.Task, link.Ended, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, patience.Token));
            if (hello.Task.IsCompleted)
            {
                return link;
            }
        }

        lock (_gate)
        {
            if (_next == link)
            {
                _next = null;
            }
        }

        await link.DisposeAsync();
        return null;
    }

    /// <summary>Follows a connection, and those that take its place, until one ends. Returns that.</summary>
    private async Task<SocketLink> FollowAsync(SocketLink link)
    {
        while (true)
        {
            await Task.WhenAny(link.Ended, RunClock.DelayAsync(Tick, _stop.Token));
            _stop.Token.ThrowIfCancellationRequested();
            if (link.Ended.IsCompleted)
            {
                return link;
            }

            if (_parts.Clock.Now - link.LastFrameAt > _silence)
            {
                link.Abort();
                return link;
            }

            if (_moveAt <= _parts.Clock.Now)
            {
                var old = link;
                if (await ConnectAsync(_parts.Other(link.Node, _random)) is { } moved)
                {
                    _parts.Counts.Add(CountNames.Moves);
                    await old.CloseAsync();
                    await old.DisposeAsync();
                    link = moved;
                }
            }
        }
    }

    private async Task OnFrameAsync(SocketLink link, string text)
    {
        var frame = JsonSerializer.Deserialize<JsonElement>(text);
        string? answer;
        lock (_gate)
        {
            answer = Apply(link, frame);
        }

        if (answer is not null)
        {
            await link.SendAsync(answer);
        }
    }

    /// <summary>Applies a frame. Returns what the client answers on the same connection.</summary>
    private string? Apply(SocketLink link, JsonElement frame)
    {
        if (link == _next && frame.Type() == "hello")
        {
            (_current, _next, _moveAt) = (link, null, null);
            _pause.OnHello(frame);
            _silence = TimeSpan.FromMilliseconds(SilentHeartbeats * (frame.Number("heartbeat_ms") ?? 25_000));
            _hello!.SetResult();
        }

        if (link != _current)
        {
            // The old connection, after the new one has said hello: the new one sends the same again.
            return null;
        }

        if (_log.Apply(frame))
        {
            OnLive(link, frame);
        }

        Flow.OnFrame(frame.Type() is "delta" or "done" or "snapshot" or "resumed", frame.Text("reason") == "epoch_changed");
        switch (frame.Type())
        {
            case "ping": return $$"""{"type":"pong","seq":{{frame.Number("seq")}}}""";
            case "reconnect": _moveAt = _parts.Clock.Now + TimeSpan.FromMilliseconds(frame.Number("delay_ms") ?? 0); break;
            case "error": OnError(frame); break;
        }

        return null;
    }

    private void OnLive(SocketLink link, JsonElement frame)
    {
        if (frame.Type() == "resumed")
        {
            _parts.Counts.Add(CountNames.Resumed + (frame.Flag("recovered") ? "recovered" : frame.Text("reason")));
        }

        // A new epoch on an open connection is no new connection.
        if (_lostAt is not null || link.OpenedAt > _parts.Clock.Now - HelloPatience)
        {
            Flow.OnLive(link.OpenedAt, _lostAt is { } lost ? _parts.Clock.Now - lost : TimeSpan.Zero, isV1: true);
            _lostAt = null;
        }
    }

    private void OnError(JsonElement frame)
    {
        var code = frame.Text("code") ?? "none";
        _parts.Counts.Add(CountNames.Refused + code);

        // Only a cancel is refused as not found: its question was refused too, or is not asked yet.
        if (code == "question_not_found" || _log.Own(frame.Text("question_id")) is not { IsAccepted: false } question)
        {
            return;
        }

        if (!frame.Flag("retryable") || (code == "session_busy" && question.GivesUpIfBusy))
        {
            question.End(QuestionEnd.Refused, code);
        }
        else
        {
            _ = AskLaterAsync(question, TimeSpan.FromMilliseconds(frame.Number("retry_after_ms") ?? AskAgainPause.TotalMilliseconds));
        }
    }

    private async Task AskLaterAsync(OwnQuestion question, TimeSpan pause)
    {
        await RunClock.DelayAsync(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!question.IsAccepted && !question.Ended.IsCompleted && !_stop.IsCancellationRequested)
        {
            await SendAsync(question);
        }
    }

    private async Task SendAsync(OwnQuestion question)
    {
        if (_current is { } link)
        {
            _parts.Counts.Add(CountNames.Asked);
            object frame = question.IfBusy is null
                ? new { type = "question", id = question.Id, question = question.Text }
                : new { type = "question", id = question.Id, question = question.Text, if_busy = question.IfBusy };
            await link.SendAsync(JsonSerializer.Serialize(frame));
        }
    }

    /// <summary>The end of a question was missed: asks for it over HTTP.</summary>
    private async Task LookUpAsync(OwnQuestion question)
    {
        try
        {
            var reply = await _http.UntilAsync(HttpMethod.Get, $"/questions/{question.Id}", null, _stop.Token);
            if (reply.Status == 404)
            {
                // A program may send a lost question again. If it runs a second time then, the checks find two that were accepted.
                _parts.Counts.Add(CountNames.LookedLost);
                await SendAsync(question);
            }
            else if (reply.Body.Text("status") is { } status)
            {
                question.End(status, reply.Body.Text("reason"));
            }
        }
        catch (OperationCanceledException)
        {
            // The round has ended.
        }
    }
}
