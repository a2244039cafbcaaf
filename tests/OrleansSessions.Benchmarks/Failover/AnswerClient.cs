using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using OrleansSessions.Benchmarks.Load;

namespace OrleansSessions.Benchmarks.Failover;

/// <summary>A v1 client that follows the answer of one session. When its socket ends, it resumes on the next node, as the protocol asks.</summary>
internal sealed class AnswerClient : IAsyncDisposable
{
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(100);

    private readonly string _session;
    private readonly Uri[] _nodes;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _text = NewSource();
    private readonly TaskCompletionSource _ended = NewSource();
    private readonly TaskCompletionSource<long> _cut = NewSource<long>();
    private readonly TaskCompletionSource<long> _eventAgain = NewSource<long>();
    private readonly TaskCompletionSource<long> _textAgain = NewSource<long>();
    private readonly Task _running;
    private string? _epoch;
    private long _seq;
    private bool _isNewEpoch;

    /// <param name="nodes">The node to connect to, and those to come back to.</param>
    public AnswerClient(string session, string question, params Uri[] nodes)
    {
        (_session, _nodes) = (session, nodes);
        Answer = new(question);
        _running = RunAsync();
    }

    /// <summary>The answer so far. Read it when <see cref="Ended"/> has completed.</summary>
    public ReceivedAnswer Answer { get; }

    /// <summary>Completes with the first text.</summary>
    public Task HasText => _text.Task;

    /// <summary>Completes when the answer has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>When the first socket ended, as a timestamp.</summary>
    public Task<long> Cut => _cut.Task;

    /// <summary>When the first frame about the question arrived that a new activation sent: it has another epoch. As a timestamp.</summary>
    public Task<long> EventAgain => _eventAgain.Task;

    /// <summary>When the first new text or the end arrived from a new activation, as a timestamp.</summary>
    public Task<long> TextAgain => _textAgain.Task;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        for (var turn = 0; !_stop.IsCancellationRequested; turn++)
        {
            try
            {
                var position = _epoch is null ? "" : $"&epoch={_epoch}&after={_seq}";
                using var socket = new FrameSocket(new Uri(_nodes[turn % _nodes.Length], $"/ws/{_session}?v=1{position}"));
                await socket.ConnectAsync(_stop.Token);
                await using var abort = _stop.Token.Register(socket.Dispose);
                while (true)
                {
                    using var frame = JsonDocument.Parse(await socket.ReceiveAsync());
                    OnFrame(frame.RootElement);
                }
            }
            catch (Exception end) when (end is WebSocketException or WrongAnswerException or OperationCanceledException or ObjectDisposedException)
            {
                // The socket has ended, or a node that is not there refused it.
                _cut.TrySetResult(Stopwatch.GetTimestamp());
            }

            await Task.Delay(ReconnectPause, TimeProvider.System, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void OnFrame(JsonElement frame)
    {
        switch (frame.GetProperty("type").GetString())
        {
            case "hello" when !frame.GetProperty("resuming").GetBoolean():
                MoveTo(frame.GetProperty("epoch").GetString(), frame.GetProperty("seq").GetInt64());
                break;
            case "resumed":
                MoveTo(frame.GetProperty("epoch").GetString(), frame.GetProperty("to_seq").GetInt64());
                break;
            case "snapshot":
                Answer.OnSnapshot(frame);
                OnProgress(isNewText: Answer.HasEnded);
                break;
            case "accepted":
                _seq = frame.GetProperty("seq").GetInt64();
                break;
            case "delta":
                _seq = frame.GetProperty("seq").GetInt64();
                Answer.OnDelta(frame);
                OnProgress(isNewText: true);
                break;
            case "done":
                _seq = frame.GetProperty("seq").GetInt64();
                Answer.OnDone(frame);
                OnProgress(isNewText: true);
                break;
        }
    }

    private void MoveTo(string? epoch, long seq)
    {
        _isNewEpoch |= _epoch is not null && epoch != _epoch;
        (_epoch, _seq) = (epoch, seq);
    }

    private void OnProgress(bool isNewText)
    {
        var now = Stopwatch.GetTimestamp();
        if (_isNewEpoch)
        {
            _eventAgain.TrySetResult(now);
            if (isNewText)
            {
                _textAgain.TrySetResult(now);
            }
        }

        if (Answer.HasText)
        {
            _text.TrySetResult();
        }

        if (Answer.HasEnded)
        {
            _ended.TrySetResult();
        }
    }
}
