using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Frames;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class FrameWriterTests : IDisposable
{
    private const char Marked = '@';

    private readonly Lock _gate = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly StalledTransport _transport = new();
    private readonly SocketGatewayOptions _options = new() { MaxRunChars = 10 };
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly FrameWriter _writer;
    private int _slow;

    public FrameWriterTests()
    {
        _writer = new(_transport, _gate, _options, _services.GetRequiredService<SocketGatewayMetrics>(), _clock, OnStuck);
    }

    public void Dispose()
    {
        _services.Dispose();
    }

    [Fact]
    public void DeltasThatWait_LeaveAsOneRun_UpToItsBound()
    {
        Add(1, "first");
        Add(2, "aaaa");
        Add(3, "bbbb");
        Add(4, "cccc");
        _transport.Release();

        Assert.Equal(
            [
                """{"type":"delta","seq":1,"question_id":"q","index":1,"text":"first"}""",
                """{"type":"delta","seq":3,"from_seq":2,"question_id":"q","index":2,"count":2,"text":"aaaabbbb"}""",
                """{"type":"delta","seq":4,"question_id":"q","index":4,"text":"cccc"}""",
            ],
            _transport.Sent);
    }

    [Fact]
    public void Runs_EndAtHolesReplaysQuestionsSnapshotsAndOtherFrames()
    {
        Add(1, "stalls");
        Add(2, "a");
        Add(3, "b", isReplay: true);
        Add(4, "c", isReplay: true, mayJoin: false);
        _transport.Release();
        Add(new ServerPingMessage(4));
        Add(5, "d");

        Assert.Equal(6, _transport.Sent.Count);
        Assert.DoesNotContain(_transport.Sent, frame => frame.Contains("count", StringComparison.Ordinal));
    }

    [Fact]
    public void TheQueueIsFull_AtItsLimit_AndHasRoom_WhenHalfOfItHasLeft()
    {
        Add(new ServerPingMessage(0));
        var frames = 0;
        lock (_gate)
        {
            for (; !_writer.IsFull; frames++)
            {
                _writer.EnqueueDelta(LogEvent.Delta(frames + 1, "q", frames, "eight ch"), isReplay: false, mayJoin: false);
            }
        }

        // A frame counts 256 bytes, and a character two.
        Assert.Equal(Math.Ceiling(_options.MaxQueuedBytes / (256 + 16.0)), frames);
        Assert.False(_writer.HasRoom);
        _transport.Release();
        Assert.True(_writer.HasRoom);
        Assert.Equal(0, _slow);
    }

    [Fact]
    public void JoinedDeltas_CountTheirStringsToo()
    {
        _options.MaxRunChars = 100_000;
        Add(new ServerPingMessage(0));
        var deltas = 0;
        lock (_gate)
        {
            for (; !_writer.IsFull; deltas++)
            {
                _writer.EnqueueDelta(LogEvent.Delta(deltas + 1, "q", deltas, "x"), isReplay: false, mayJoin: true);
            }
        }

        Assert.InRange(deltas, 1, _options.MaxQueuedBytes / 32);
    }

    [Fact]
    public void RepliesBeyondAFullQueue_AreASlowConsumer_AndAreDropped()
    {
        // Twice the limit, and the first ping, which is being sent.
        for (var i = 0; i <= (_options.MaxQueuedBytes / 256 * 2) + 1; i++)
        {
            Assert.Equal(0, _slow);
            Add(new ServerPingMessage(i));
        }

        Assert.Equal(1, _slow);
        _transport.Release();
        Assert.Single(_transport.Sent);
        Assert.Equal(4002, _transport.ClosedWith);
    }

    [Fact]
    public async Task AfterTheCloseFrame_NothingIsAccepted()
    {
        _transport.Release();
        lock (_gate)
        {
            _writer.Enqueue(new ServerPingMessage(1));
            _writer.EnqueueClose(4001, "bye", dropWaiting: false);
            _writer.Enqueue(new ServerPingMessage(2));
        }

        _writer.Flush();
        await _writer.Finished.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Single(_transport.Sent);
        Assert.Equal(4001, _transport.ClosedWith);
    }

    [Fact]
    public async Task ASocketThatCannotSend_IsCut_AndTheWriterEnds()
    {
        _transport.Fail();
        Add(new ServerPingMessage(1));
        await _writer.Finished.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(_transport.IsAborted);
    }

    [Fact]
    public void ASnapshot_IsCutBetweenScalars_AndNothingComesBetweenItsParts()
    {
        // The text starts with one character, so a surrogate pair lies across each border between parts.
        var text = "x" + string.Concat(Enumerable.Repeat("\ud83d\ude00", 50_000));
        lock (_gate)
        {
            _writer.EnqueueSnapshot(Question(text), epoch: 1);
            _writer.Enqueue(new ServerPingMessage(1));
        }

        _transport.Release();
        _writer.Flush();
        var frames = _transport.Sent.ConvertAll(static frame => JsonDocument.Parse(frame).RootElement);
        var parts = frames[..^1];

        Assert.Equal(
            Enumerable.Range(1, 4).Select(part => ("snapshot", (long?)part, (long?)4)),
            parts.Select(part => (part.Type()!, part.Number("part"), part.Number("parts"))));
        Assert.Equal(text, string.Concat(parts.Select(part => part.Text("text"))));
        Assert.Equal("ping", frames[^1].Type());
        Assert.True(_writer.HasRoom);
    }

    [Fact]
    public void AnEmptySnapshot_IsOneFrame()
    {
        lock (_gate)
        {
            _writer.EnqueueSnapshot(Question(""), epoch: 1);
        }

        _transport.Release();
        _writer.Flush();
        Assert.Contains("\"part\":1,\"parts\":1", Assert.Single(_transport.Sent), StringComparison.Ordinal);
    }

    [Fact]
    public void TheTextOfASnapshot_Counts_FromTheMomentItWaits_UntilItsLastPart_AndClosesNothing()
    {
        Add(new ServerPingMessage(0));
        lock (_gate)
        {
            _writer.EnqueueSnapshot(Question(new string('x', 1_000_000)), epoch: 1);
            _writer.EnqueueSnapshot(Question(new string('y', 1_000_000)), epoch: 1);
            Assert.True(_writer.IsFull);
        }

        var wasFull = true;
        _transport.OnSent = () => wasFull &= _writer.IsFull || _transport.Sent.Count == 1 + 31 + 31;
        _writer.Flush();
        _transport.Release();

        Assert.True(wasFull);
        Assert.True(_writer.HasRoom);
        Assert.Equal((1 + 31 + 31, 0), (_transport.Sent.Count, _slow));
    }

    [Fact]
    public void AFrameThatIsUnreadForSendTimeout_IsStuck()
    {
        Assert.False(_writer.IsStuck(_clock.GetTimestamp()));
        Add(new ServerPingMessage(0));
        _clock.Advance(_options.SendTimeout);
        Assert.False(_writer.IsStuck(_clock.GetTimestamp()));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_writer.IsStuck(_clock.GetTimestamp()));
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(8, false)]
    public async Task AClientThatIsBehind_MustReadHalfAQueue_WithinMaxTimeBehind(int framesPerSecond, bool isStuck)
    {
        // 524 bytes each: 1,000 are twice the limit, and 250 are half of it. They are read at one pace or the other for 90 s.
        _transport.Step();
        lock (_gate)
        {
            for (var i = 0; i < 1_000; i++)
            {
                _writer.EnqueueDelta(LogEvent.Delta(i + 1, "q", i, new string('x', 133)), isReplay: false, mayJoin: false);
            }
        }

        _writer.Flush();
        var wasStuck = false;
        for (var second = 0; second < 90; second++)
        {
            wasStuck |= _writer.IsStuck(_clock.GetTimestamp());
            Assert.False(wasStuck && second <= _options.MaxTimeBehind.TotalSeconds);
            _clock.Advance(TimeSpan.FromSeconds(1));
            for (var frame = 0; frame < framesPerSecond; frame++)
            {
                await _transport.NextAsync();
            }
        }

        Assert.Equal(isStuck, wasStuck);
    }

    [Theory, MemberData(nameof(FrameTypes))]
    public void EveryTextThatAFrameSends_IsCounted(Type type)
    {
        var message = (ServerMessage)Filled(type);
        var buffer = FrameBuffer.Rent();
        var sent = Encoding.UTF8.GetString(buffer.Write(message).Span);
        FrameBuffer.Return(buffer);

        Assert.Equal(sent.Count(static c => c == Marked), message.TextChars);
    }

    public static TheoryData<Type> FrameTypes =>
        [.. typeof(ServerMessage).Assembly.GetTypes().Where(static type => type.IsSubclassOf(typeof(ServerMessage)) && type != typeof(OtherEventMessage))];

    [Fact]
    public void AnEventOfAnotherKind_CountsItsWholeBody() => Assert.Equal(12, new OtherEventMessage(1, "q", "part", "{\"a\":1}").TextChars);

    /// <summary>Creates an instance whose texts consist of one character that no field name and no fixed value contains.</summary>
    private static object Filled(Type type)
    {
        if (type == typeof(string))
        {
            return new string(Marked, 100);
        }

        if (type == typeof(IReadOnlyList<string>))
        {
            return new[] { Filled(typeof(string)), Filled(typeof(string)) }.Cast<string>().ToArray();
        }

        if (type == typeof(IReadOnlyList<OpenQuestion>))
        {
            return new[] { (OpenQuestion)Filled(typeof(OpenQuestion)) };
        }

        var value = Nullable.GetUnderlyingType(type) ?? type;
        if (value == typeof(WireError))
        {
            return WireErrors.Internal;
        }

        if (value.IsValueType)
        {
            return Activator.CreateInstance(value)!;
        }

        var parameters = value.GetConstructors()[0].GetParameters();
        var filled = Activator.CreateInstance(value, [.. parameters.Select(parameter => Filled(parameter.ParameterType))])!;
        foreach (var property in value.GetProperties().Where(property => property.CanWrite && parameters.Length == 0))
        {
            property.SetValue(filled, Filled(property.PropertyType));
        }

        return filled;
    }

    private static QuestionDescription Question(string text) =>
        new()
        {
            QuestionId = "q",
            Question = "why",
            Text = text,
            Deltas = 1,
            Bytes = text.Length,
            Status = QuestionStatus.Answering,
            Epoch = 1,
            AcceptedSeq = 1,
            Attempt = 1,
        };

    private void Add(long seq, string text, bool isReplay = false, bool mayJoin = true)
    {
        lock (_gate)
        {
            _writer.EnqueueDelta(LogEvent.Delta(seq, "q", (int)seq, text), isReplay, mayJoin);
        }

        _writer.Flush();
    }

    private void OnStuck(Exception? fault)
    {
        Assert.Null(fault);
        _slow++;
        lock (_gate)
        {
            _writer.EnqueueClose(4002, "slow", dropWaiting: true);
        }
    }

    private void Add(ServerMessage message)
    {
        lock (_gate)
        {
            _writer.Enqueue(message);
        }

        _writer.Flush();
    }

    /// <summary>A transport whose first send waits until the test releases it, or each of them after <see cref="Step"/>.</summary>
    private sealed class StalledTransport : ITransport
    {
        public TimeSpan? Grace => TimeSpan.Zero;

        private readonly TaskCompletionSource _released = new();
        private readonly SemaphoreSlim _sends = new(0);
        private readonly SemaphoreSlim _arrivals = new(0);
        private bool _isStepped;

        public List<string> Sent { get; } = [];

        public int? ClosedWith { get; private set; }

        public bool IsAborted { get; private set; }

        public Action? OnSent { get; set; }

        public void Release() => _released.TrySetResult();

        public void Step() => _isStepped = true;

        /// <summary>Waits for a frame, and lets it be sent.</summary>
        public async Task NextAsync()
        {
            await _arrivals.WaitAsync(TimeSpan.FromSeconds(10));
            _sends.Release();
        }

        public void Fail() => _released.TrySetException(new WebSocketException());

        public async ValueTask SendAsync(ServerMessage message, FrameBuffer buffer)
        {
            Sent.Add(Encoding.UTF8.GetString(buffer.Write(message).Span));
            OnSent?.Invoke();
            _arrivals.Release();
            await (_isStepped ? _sends.WaitAsync() : _released.Task);
        }

        public Task CloseAsync(int code, string reason)
        {
            ClosedWith = code;
            return Task.CompletedTask;
        }

        public void Abort() => IsAborted = true;

        public void OnTick(long now)
        {
        }
    }
}
