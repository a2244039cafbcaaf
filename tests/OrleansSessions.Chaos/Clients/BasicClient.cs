using System.Collections.Concurrent;
using System.Text.Json;
using OrleansSessions.Chaos.Results;
using OrleansSessions.Chaos.Transcripts;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Clients;

/// <summary>A basic client: asks, waits, reads one frame. If that does not come, it asks again on another socket, with the same id if there is one.</summary>
internal sealed class BasicClient(RunParts parts, Transcript transcript, string session, int firstNode, Random random) : IChaosClient, IAsyncDisposable
{
    /// <summary>The key of a question without an id: the server makes one, so its frame has an id that was not sent.</summary>
    private const string WithoutId = "";

    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>How long an answer takes at most when nothing interrupts it. A basic client notices a silent connection only by that.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(9);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonElement>> _waiting = new();
    private readonly SemaphoreSlim _opening = new(1);
    private readonly ReconnectPause _pause = new(random);
    private SocketLink? _link;
    private TimeSpan? _lostAt;
    private int _links;
    private int _node = firstNode;

    public int? Node => _link is { Ended.IsCompleted: false } link ? link.Node : null;

    public int Link => _link?.Number ?? 0;

    /// <summary>False: it sees no events, so it cannot tell an interruption from a long answer.</summary>
    public bool HasOpenAnswer => false;

    public Flow Flow { get; } = new(
        parts.Clock, parts.Recoveries, text => transcript.Add(parts.Clock.Now, 0, EntryKind.Note, text), noticesSilence: false);

    public void Note(string text) => transcript.Add(parts.Clock.Now, Link, EntryKind.Note, text);

    /// <summary>Asks, as often as that takes, and returns the end.</summary>
    /// <param name="hasId">False to send no id: then a lost connection is the end, with an unknown outcome.</param>
    public async Task<QuestionEnd> AskAsync(OwnQuestion question, bool hasId, CancellationToken cancellationToken)
    {
        parts.Board.Add(transcript.Client, this);
        var key = hasId ? question.Id : WithoutId;
        try
        {
            while (true)
            {
                var answer = _waiting[key] = new(TaskCreationOptions.RunContinuationsAsynchronously);
                var link = await LinkAsync(cancellationToken);
                parts.Counts.Add(CountNames.Asked);
                await link.SendAsync(hasId
                    ? JsonSerializer.Serialize(new { question = question.Text, id = question.Id }) : JsonSerializer.Serialize(new { question = question.Text }));
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                patience.CancelAfter(AnswerPatience);
                await Task.WhenAny(answer.Task, link.Ended, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, patience.Token));
                cancellationToken.ThrowIfCancellationRequested();
                if (!answer.Task.IsCompleted)
                {
                    link.Abort();
                    if (!hasId)
                    {
                        return new(QuestionEnd.Unknown, null);
                    }

                    continue;
                }

                var frame = await answer.Task;
                if (frame.Type() == "response" || frame.Text("status") is not null)
                {
                    question.IsAccepted = true;
                    return new(frame.Text("status") ?? "", frame.Text("code"));
                }

                var code = frame.Text("code") ?? "none";
                parts.Counts.Add(CountNames.Refused + code);
                if (!frame.Flag("retryable") || (code == "session_busy" && question.GivesUpIfBusy))
                {
                    return new(QuestionEnd.Refused, code);
                }

                await RunClock.DelayAsync(TimeSpan.FromMilliseconds(frame.Number("retry_after_ms") ?? RetryPause.TotalMilliseconds), cancellationToken);
            }
        }
        finally
        {
            _waiting.TryRemove(key, out _);
        }
    }

    /// <summary>Sends a question again that is being asked.</summary>
    public Task AskAgainAsync(OwnQuestion question) =>
        _link?.SendAsync(JsonSerializer.Serialize(new { question = question.Text, id = question.Id })) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        parts.Board.Remove(transcript.Client);
        if (_link is { } link)
        {
            await link.CloseAsync();
            await link.DisposeAsync();
        }
    }

    private async Task<SocketLink> LinkAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_link is { } open && !open.Ended.IsCompleted)
            {
                return open;
            }

            if (_link is { } ended)
            {
                _lostAt = parts.Clock.Now;
                _pause.OnEnd(parts.Clock.Now - ended.OpenedAt);
                await ended.DisposeAsync();
                (_link, _node) = (null, parts.Other(ended.Node, random));
            }

            while (true)
            {
                await RunClock.DelayAsync(_pause.Next(), cancellationToken);
                var link = new SocketLink(parts, transcript, ++_links, _node);
                if (await link.OpenAsync($"/ws/{session}", OnFrameAsync))
                {
                    Flow.OnLive(link.OpenedAt, parts.Clock.Now - (_lostAt ?? parts.Clock.Now), isV1: false);
                    return _link = link;
                }

                await link.DisposeAsync();
                _node = parts.Other(_node, random);
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    private Task OnFrameAsync(SocketLink link, string text)
    {
        var frame = JsonSerializer.Deserialize<JsonElement>(text);
        Flow.OnFrame(isAboutAnswer: true, isNewEpoch: false);
        if (_waiting.TryGetValue(frame.Text("question_id") ?? WithoutId, out var answer) || _waiting.TryGetValue(WithoutId, out answer))
        {
            answer.TrySetResult(frame);
        }

        return Task.CompletedTask;
    }
}
