using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Frames;
using OrleansSessions.SocketGateway.Profiles;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>
/// A client that rewinds again and again, and cancels and asks again in between. Many orders are tried, and each is the same in every run. The client
/// follows the position rules of the document, and must not find missing events.
/// </summary>
public sealed class RewindTests : IDisposable, ILogSource
{
    private const long Epoch = 5;
    private const int PieceEvents = 3;

    private readonly Lock _gate = new();
    private readonly RecordingTransport _transport = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly List<LogEvent> _log = [];
    private readonly Dictionary<string, QuestionDescription> _questions = [];
    private readonly Queue<LogEvent> _items = new();
    private readonly FrameWriter _writer;
    private readonly V1Profile _profile;
    private readonly LogCursor _answers;
    private readonly Client _client = new();
    private volatile Read? _read;
    private readonly SocketGatewayOptions _options = new() { MaxHeldItems = 4 };
    private string? _running;
    private int _taken;
    private bool _wasBehind;
    private bool _isSlow;

    public RewindTests()
    {
        _writer = new(_transport, _gate, _options, _services.GetRequiredService<SocketGatewayMetrics>(), TimeProvider.System, RecordingTransport.FailOnStuck);
        _profile = new(_writer, RecordingTransport.Hello, () => { });
        _answers = new(_gate, _profile, this, _options, TimeProvider.System, fault => Assert.Fail(fault.ToString()));
        lock (_gate)
        {
            _profile.OnAttached(new() { Epoch = Epoch, Open = [], Responder = "echo" }, resumeAfter: null);
            _answers.Begin(Epoch, 0, 0);
        }
    }

    public void Dispose()
    {
        _services.Dispose();
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task I3_CancelsAndRepeatedAsks_InTheMiddleOfARewind_LookLikeNoHole(int seed)
    {
        await TryAsync(new(seed));
        Assert.False(_wasBehind);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task I3_TheSame_OfAClientThatFallsBehind_LooksLikeNoHole(int seed)
    {
        (_options.MaxQueuedBytes, _isSlow) = (1_500, true);
        await TryAsync(new(seed));
        Assert.True(_wasBehind);
    }

    public static TheoryData<int> Seeds => new(Enumerable.Range(1, 40));

    private async Task TryAsync(Random random)
    {
        for (var step = 0; step < 400; step++)
        {
            await StepAsync(random);
            _wasBehind |= !_writer.HasRoom;
            await SettleAsync();
        }

        while (_read is not null || _items.Count > 0 || !_answers.Reading.IsCompleted)
        {
            await ReplyToReadAsync();
            Deliver();
            Take();
            await SettleAsync();
        }

        Take();
        Assert.Equal(_log.Count, _client.Last);
        Assert.All(_questions.Values, question => Assert.Equal(question.Text, _client.Texts[question.QuestionId].Text));
    }

    Task<LogPiece> ILogSource.ReadAsync(long epoch, long afterSeq)
    {
        var read = new Read(afterSeq, new());
        _read = read;
        return read.Reply.Task;
    }

    // Only the test flushes: the client reads when it takes.
    Task ILogSource.FlushAsync() => _writer.WaitForRoomAsync();

    void ILogSource.OnBehind()
    {
    }

    private async Task StepAsync(Random random)
    {
        switch (random.Next(10))
        {
            case 0 when _running is null:
                _running = $"q{_questions.Count}";
                _questions[_running] = new()
                {
                    QuestionId = _running,
                    Question = "why",
                    Text = "",
                    Status = QuestionStatus.Accepted,
                    Epoch = Epoch,
                    AcceptedSeq = _log.Count + 1,
                    Attempt = 1,
                };
                Append(LogEvent.Accepted(_log.Count + 1, _running, "why", 0));
                break;
            case 1 or 2 or 3 when _running is not null:
                var answered = _questions[_running];
                Append(LogEvent.Delta(_log.Count + 1, _running, answered.Deltas, "x"));
                _questions[_running] = answered with { Text = answered.Text + "x", Deltas = answered.Deltas + 1, Bytes = answered.Bytes + 1 };
                break;
            case 4 when _running is not null && random.Next(3) == 0:
                End(QuestionStatus.Completed, null);
                break;
            case 5:
                Deliver();
                break;
            case 6:
                await ReplyToReadAsync();
                break;
            case 7 when _questions.Count > 0 && _writer.HasRoom:
                AskAgain(_questions.Values.ElementAt(random.Next(_questions.Count)));
                break;
            case 8 when _questions.Count > 0 && (!_isSlow || _writer.HasRoom):
                Cancel(_questions.Values.ElementAt(random.Next(_questions.Count)));
                break;
            case 9 when !_isSlow || random.Next(8) == 0:
                Take();
                if (random.Next(3) == 0)
                {
                    await RewindAsync(random.NextInt64(_client.Last + 1));
                }

                break;
        }
    }

    private void Append(LogEvent logged)
    {
        _log.Add(logged);
        _items.Enqueue(logged);
    }

    private void End(QuestionStatus status, string? reason)
    {
        var ended = _questions[_running!];
        var end = new QuestionEnd { Status = status, Reason = reason, Deltas = ended.Deltas, Bytes = ended.Bytes, TotalMs = 1 };
        _questions[_running!] = ended with { Status = status, DoneSeq = _log.Count + 1, End = end };
        Append(LogEvent.Done(_log.Count + 1, _running!, end));
        _running = null;
    }

    private void Deliver()
    {
        if (_items.TryDequeue(out var item))
        {
            lock (_gate)
            {
                _answers.OnEvents(Epoch, [item]);
            }
        }
    }

    private async Task ReplyToReadAsync()
    {
        if (_read is not { } read)
        {
            return;
        }

        _read = null;
        LogEvent[] events = [.. _log.Skip((int)read.AfterSeq).Take(PieceEvents)];
        var isAtHead = read.AfterSeq + events.Length == _log.Count;
        OpenQuestion[] open = isAtHead && _running is not null ? [new(_running, QuestionStatus.Answering, 1)] : [];
        read.Reply.SetResult(new() { Outcome = LogReadOutcome.Recovered, Epoch = Epoch, Head = _log.Count, Events = events, IsAtHead = isAtHead, Open = open });
        await SettleAsync();
    }

    /// <summary>Waits until no read is running, or one waits for its reply or for the client.</summary>
    private async Task SettleAsync()
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!_answers.Reading.IsCompleted && _read is null && _writer.HasRoom)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(20), "No read started or ended.");
            await Task.Yield();
        }
    }

    private void AskAgain(QuestionDescription earlier)
    {
        lock (_gate)
        {
            _profile.OnDuplicate(earlier);
        }
    }

    private void Cancel(QuestionDescription question)
    {
        lock (_gate)
        {
            var pending = _profile.OnCancelling(question.QuestionId);
            if (question.End is not null)
            {
                _profile.OnCancelReply(pending, new()
                {
                    Outcome = CancelOutcome.AlreadyDone,
                    QuestionId = question.QuestionId,
                    Epoch = Epoch,
                    AfterSeq = _log.Count,
                    Question = question,
                });
                return;
            }

            var head = _log.Count;
            End(QuestionStatus.Cancelled, DoneReasons.ByClient);
            _profile.OnCancelReply(pending, new() { Outcome = CancelOutcome.Cancelling, QuestionId = question.QuestionId, Epoch = Epoch, AfterSeq = head });
        }
    }

    private async Task RewindAsync(long afterSeq)
    {
        // A read that is running gets its reply later, and its result is discarded.
        _client.GoBackTo(afterSeq);
        lock (_gate)
        {
            _answers.Replay(Epoch, afterSeq);
        }

        await SettleAsync();
    }

    private void Take()
    {
        _writer.Flush();
        for (; _taken < _transport.Sent.Count; _taken++)
        {
            _client.On(_transport.Sent[_taken]);
        }
    }

    /// <summary>The client of section 12 of the document: "Position" and the frames to which it applies.</summary>
    private sealed class Client
    {
        private bool _isReplaying;

        public long Last { get; private set; }

        public Dictionary<string, (string Text, int Next)> Texts { get; } = [];

        public void GoBackTo(long afterSeq) => (Last, _isReplaying) = (afterSeq, true);

        public void On(JsonElement frame)
        {
            switch (frame.Type())
            {
                case "resumed":
                    Assert.True(frame.Flag("recovered"));
                    Assert.Equal(Last, frame.Number("to_seq"));
                    _isReplaying = false;
                    break;
                case "snapshot":
                    Texts[frame.Text("question_id")!] = (frame.Text("text")!, (int)frame.Number("deltas")!);
                    break;
                case "accepted" or "delta" or "done":
                    OnNumbered(frame, frame.Number("seq")!.Value);
                    break;
            }
        }

        private void OnNumbered(JsonElement frame, long seq)
        {
            var isReplay = frame.Flag("replay");
            if (_isReplaying && !isReplay)
            {
                return;
            }

            if (!frame.Flag("duplicate") && seq > Last)
            {
                var isNext = (frame.Number("from_seq") ?? seq) == Last + 1;
                Assert.True(isNext || (isReplay && !_isReplaying), $"Events are missing after {Last} (replaying: {_isReplaying}): {frame.GetRawText()}");
                Last = isNext ? seq : Last;
            }
            else if (seq <= Last && !isReplay)
            {
                return;
            }

            Apply(frame, frame.Text("question_id")!);
        }

        private void Apply(JsonElement frame, string id)
        {
            var (text, next) = Texts.GetValueOrDefault(id, ("", 0));
            if (frame.Type() == "done")
            {
                Assert.Equal((frame.Number("deltas"), frame.Number("bytes")), (next, Encoding.UTF8.GetByteCount(text)));
            }
            else if (frame.Type() == "delta" && frame.Number("index") + (frame.Number("count") ?? 1) > next)
            {
                Assert.Equal(next, frame.Number("index"));
                Texts[id] = (text + frame.Text("text"), next + (int)(frame.Number("count") ?? 1));
            }
            else
            {
                Texts[id] = (text, next);
            }
        }
    }

    private sealed record Read(long AfterSeq, TaskCompletionSource<LogPiece> Reply);
}
