using System.Net.Sockets;
using System.Text.Json;
using OrleansSessions.Chaos.Proxies;
using OrleansSessions.Chaos.Results;
using OrleansSessions.Chaos.Transcripts;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Clients;

/// <summary>A client that follows its session as an event stream, comes back by <c>Last-Event-ID</c>, and asks over HTTP.</summary>
internal sealed class StreamClient : IChaosClient, IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan HeaderPatience = TimeSpan.FromSeconds(4);

    /// <summary>A stream has no heartbeats that a client could count. While an answer is open, this silence is too long.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(4);

    private readonly RunParts _parts;
    private readonly Transcript _transcript;
    private readonly Random _random;
    private readonly HttpCaller _http;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly FollowedLog _log = new();
    private readonly Task _running;
    private string? _lastEventId;
    private TimeSpan? _lostAt;
    private int _links;

    public StreamClient(RunParts parts, Transcript transcript, string session, int firstNode, Random random)
    {
        (_parts, _transcript, _random) = (parts, transcript, random);
        _http = new(parts, transcript, session, random);
        Flow = new(parts.Clock, parts.Recoveries, Note, noticesSilence: false);
        // A question that has no reply yet is repeated by the request itself.
        _log.EndMissed += question => _ = LookUpAsync(question);
        parts.Board.Add(transcript.Client, this);
        _running = RunAsync(firstNode);
    }

    public int? Node { get; private set; }

    public int Link => _links;

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

    public void Note(string text) => _transcript.Add(_parts.Clock.Now, _links, EntryKind.Note, text);

    /// <summary>Asks, as often as that takes. The task of the question completes with its end.</summary>
    public async Task AskAsync(OwnQuestion question, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _log.Add(question);
        }

        await AskAgainAsync(question, cancellationToken);
    }

    /// <summary>Sends a question again that was sent before.</summary>
    public async Task AskAgainAsync(OwnQuestion question, CancellationToken cancellationToken)
    {
        object body = question.IfBusy is null
            ? new { id = question.Id, question = question.Text } : new { id = question.Id, question = question.Text, if_busy = question.IfBusy };
        var json = JsonSerializer.Serialize(body);
        for (var node = _random.Next(_parts.Nodes); ; node = _parts.Other(node, _random))
        {
            _parts.Counts.Add(CountNames.Asked);
            switch (await _http.CallAsync(HttpMethod.Post, node, "/questions", json, cancellationToken))
            {
                case { Status: 200 } known:
                    question.IsAccepted = true;
                    if (known.Body.Text("status") is { } status)
                    {
                        question.End(status, known.Body.Text("reason"));
                    }

                    return;
                case { Status: 202 }:
                    question.IsAccepted = true;
                    return;
                case { } refused when !refused.IsRetryable || (question.GivesUpIfBusy && refused.Body.Code() == "session_busy"):
                    _parts.Counts.Add(CountNames.Refused + refused.Body.Code());
                    question.End(QuestionEnd.Refused, refused.Body.Code());
                    return;
                case { } refused:
                    _parts.Counts.Add(CountNames.Refused + refused.Body.Code());
                    break;
            }

            await RunClock.DelayAsync(Pause, cancellationToken);
        }
    }

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
                await FollowAsync(node);
                await RunClock.DelayAsync(Pause * _random.NextDouble(), _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>Opens a stream from the last event, and reads it until it ends.</summary>
    private async Task FollowAsync(int node)
    {
        var (link, openedAt, wasOpen) = (++_links, _parts.Clock.Now, false);
        using var request = new HttpRequestMessage(HttpMethod.Get, _parts.Address(node, _http.Path("/events")));
        request.Headers.Add("Accept", "text/event-stream");
        request.Headers.Add(ProxyLink.NameHeader, ClientBoard.LinkName(_transcript.Client, link));
        if (_lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", _lastEventId);
        }

        Record(link, EntryKind.Opened, _lastEventId ?? "");
        Record(link, EntryKind.Note, $"on node {node}");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        try
        {
            end.CancelAfter(HeaderPatience);
            using var response = await _parts.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end.Token);
            end.CancelAfter(Timeout.InfiniteTimeSpan);
            if ((int)response.StatusCode != 200)
            {
                _parts.Counts.Add($"{CountNames.Refused}stream_{(int)response.StatusCode}");
                Record(link, EntryKind.Closed, $"refused with {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(end.Token)}");
                return;
            }

            (Node, wasOpen) = (node, true);
            _parts.Counts.Add("stream.opened");
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(end.Token));
            await ReadAsync(link, openedAt, lines, end);
            Record(link, EntryKind.Closed, "ended");
        }
        // A connection that ends while it is opened shows as the plain exception of its socket.
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            _stop.Token.ThrowIfCancellationRequested();
            Record(link, EntryKind.Closed, end.IsCancellationRequested ? "silent" : "broken");
        }
        finally
        {
            Node = null;
            _lostAt = wasOpen ? _parts.Clock.Now : _lostAt;
        }
    }

    private async Task ReadAsync(int link, TimeSpan openedAt, StreamReader lines, CancellationTokenSource end)
    {
        var (id, data) = ((string?)null, "");
        while (true)
        {
            var line = await ReadLineAsync(lines, end);
            if (line is null)
            {
                return;
            }

            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line["id: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                data = line["data: ".Length..];
            }
            else if (line.Length == 0 && data.Length > 0)
            {
                Record(link, EntryKind.Received, id is null ? data : $"{id} {data}");
                _lastEventId = id ?? _lastEventId;
                OnFrame(openedAt, JsonSerializer.Deserialize<JsonElement>(data));
                (id, data) = (null, "");
            }
        }
    }

    private async Task<string?> ReadLineAsync(StreamReader lines, CancellationTokenSource end)
    {
        var reading = lines.ReadLineAsync(end.Token).AsTask();
        while (!reading.IsCompleted)
        {
            await Task.WhenAny(reading, RunClock.DelayAsync(Silence, end.Token));
            if (!reading.IsCompleted && HasOpenAnswer)
            {
                await end.CancelAsync();
            }
        }

        return await reading;
    }

    private void OnFrame(TimeSpan openedAt, JsonElement frame)
    {
        lock (_gate)
        {
            if (_log.Apply(frame) && openedAt > _parts.Clock.Now - HeaderPatience)
            {
                Flow.OnLive(openedAt, _lostAt is { } lost ? _parts.Clock.Now - lost : TimeSpan.Zero, isV1: false);
            }

            Flow.OnFrame(frame.Type() is "delta" or "done" or "snapshot" or "resumed", frame.Text("reason") == "epoch_changed");
        }
    }

    private async Task LookUpAsync(OwnQuestion question)
    {
        try
        {
            var reply = await _http.UntilAsync(HttpMethod.Get, $"/questions/{question.Id}", null, _stop.Token);
            if (reply.Status == 404)
            {
                // A program may send a lost question again. If it runs a second time then, the checks find two that were accepted.
                _parts.Counts.Add(CountNames.LookedLost);
                await AskAgainAsync(question, _stop.Token);
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

    private void Record(int link, EntryKind kind, string text) => _transcript.Add(_parts.Clock.Now, link, kind, text);
}
