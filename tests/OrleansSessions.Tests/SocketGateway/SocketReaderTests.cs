using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Sockets;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class SocketReaderTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _clock = new();
    private readonly MemorySockets _sockets = new();
    private readonly NotingOwner _owner = new();
    private readonly SocketReader _reader;

    public SocketReaderTests() =>
        _reader = new(_sockets.Server, new() { MaxFragments = 3, MaxMessageBytes = 4_000 }, _clock, _owner);

    public void Dispose() => _sockets.Dispose();

    [Fact]
    public async Task ACloseFrameAtTheWait_EndsTheReader_WithItsCode()
    {
        var reading = _reader.RunAsync();
        await SendAsync("one");
        await _sockets.Client.CloseOutputAsync((WebSocketCloseStatus)4321, "bye", CancellationToken.None);

        Assert.Equal(4321, await reading.WaitAsync(Patience));
        Assert.Equal(["one"], _owner.Messages);
    }

    [Fact]
    public async Task AnEmptyMessage_IsAMessage_AndTheNextOneIsWhole()
    {
        var reading = _reader.RunAsync();
        await SendAsync("");
        await SendAsync("next");
        await CloseAsync(reading);
        Assert.Equal(["", "next"], _owner.Messages);
    }

    [Fact]
    public async Task AnEmptyMessage_IsASignOfLife()
    {
        var reading = _reader.RunAsync();
        _clock.Advance(TimeSpan.FromSeconds(1));
        var now = _clock.GetTimestamp();
        await SendAsync("");
        await Eventually.TrueAsync(() => _reader.LastHeardAt == now, "the empty message is received");
        await CloseAsync(reading);
    }

    [Fact]
    public async Task AMessageInPieces_LongerThanTheFirstBuffer_ArrivesWhole()
    {
        var reading = _reader.RunAsync();
        var text = new string('a', 3_000);
        await SendAsync(text);
        await SendAsync("b", isEnd: false);
        await SendAsync("", isEnd: false);
        await SendAsync("c");
        await CloseAsync(reading);
        Assert.Equal([text, "bc"], _owner.Messages);
        Assert.Equal(3_002, _owner.Received);
        Assert.Empty(_owner.Violations);
    }

    [Fact]
    public async Task MoreFragmentsThanAllowed_AreAViolation_Once_AndTheRestIsDiscarded()
    {
        var reading = _reader.RunAsync();
        for (var i = 0; i < 10; i++)
        {
            await SendAsync("", isEnd: false);
        }

        await SendAsync("end");
        await SendAsync("after");
        await CloseAsync(reading);
        Assert.Equal([CloseCodes.PolicyViolation], _owner.Violations);
        Assert.Empty(_owner.Messages);
    }

    [Fact]
    public async Task AMessageOverItsLimit_IsAViolation_WhileItIsRead()
    {
        var reading = _reader.RunAsync();
        await SendAsync(new string('a', 4_001), isEnd: false);
        await Eventually.TrueAsync(() => _owner.Violations.Count == 1, "the violation is reported before the message ends");
        await SendAsync(new string('a', 50_000));
        await CloseAsync(reading);
        Assert.Equal([CloseCodes.MessageTooBig], _owner.Violations);
    }

    [Fact]
    public async Task AnUnfinishedMessage_HasABeginning_AndAFinishedOneNone()
    {
        var reading = _reader.RunAsync();
        Assert.Equal(0, _reader.MessageSince);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var begun = _clock.GetTimestamp();
        await SendAsync("half", isEnd: false);
        await Eventually.TrueAsync(() => _reader.MessageSince == begun, "the message has started");
        _clock.Advance(TimeSpan.FromSeconds(3));
        var heard = _clock.GetTimestamp();
        await SendAsync(" more", isEnd: false);
        await Eventually.TrueAsync(() => _reader.LastHeardAt == heard, "the second piece is received");
        Assert.Equal(begun, _reader.MessageSince);
        await SendAsync(" done");
        await CloseAsync(reading);
        Assert.Equal(0, _reader.MessageSince);
    }

    [Fact]
    public async Task ACloseFrameInsideAMessage_EndsTheReader_WithItsCode()
    {
        var reading = _reader.RunAsync();
        await SendAsync("half", isEnd: false);
        await CloseAsync(reading);
        Assert.Empty(_owner.Messages);
    }

    private Task SendAsync(string text, bool isEnd = true) =>
        _sockets.Client.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, isEnd, CancellationToken.None).WaitAsync(Patience);

    private async Task CloseAsync(Task<int> reading, int code = 1000)
    {
        await _sockets.Client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        Assert.Equal(code, await reading.WaitAsync(Patience));
    }

    private sealed class NotingOwner : ISocketReaderOwner
    {
        private volatile bool _isClosing;

        public List<string> Messages { get; } = [];

        public List<int> Violations { get; } = [];

        public int Received { get; private set; }

        public bool IsClosing => _isClosing;

        public ValueTask OnMessageAsync(ReadOnlySpan<byte> utf8)
        {
            Messages.Add(Encoding.UTF8.GetString(utf8));
            return default;
        }

        public void OnReceived(int bytes) => Received += bytes;

        public void OnViolation(int closeCode, string reason)
        {
            Violations.Add(closeCode);
            _isClosing = true;
        }
    }
}
