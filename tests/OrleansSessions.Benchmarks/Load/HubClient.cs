namespace OrleansSessions.Benchmarks.Load;

/// <summary>SignalR's JSON protocol over a bare WebSocket: records that end with 0x1E, any number of them in a frame.</summary>
internal abstract class HubClient(Uri address) : Asker(address)
{
    private const byte RecordEnd = 0x1E;

    // A record is never split over two frames, because the hub flushes complete records.
    private ReadOnlyMemory<byte> _rest;

    protected int Frames { get; private set; }

    protected override async Task GreetAsync()
    {
        await Socket.SendAsync("{\"protocol\":\"json\",\"version\":1}\u001e"u8.ToArray());
        var record = await NextRecordAsync();
        if (!record.Span.SequenceEqual("{}"u8))
        {
            throw WrongAnswerException.For("{}"u8, record.Span);
        }
    }

    protected ValueTask InvokeAsync(ReadOnlyMemory<byte> invocation)
    {
        Frames = 0;
        return Socket.SendAsync(invocation);
    }

    /// <summary>Returns the next record without its terminator. Pings are skipped. The record is valid until the next call.</summary>
    protected async ValueTask<ReadOnlyMemory<byte>> NextRecordAsync()
    {
        while (true)
        {
            if (_rest.IsEmpty)
            {
                _rest = await Socket.ReceiveAsync();
                Frames++;
            }

            var end = _rest.Span.IndexOf(RecordEnd);
            if (end < 0)
            {
                throw WrongAnswerException.For("a terminated record"u8, _rest.Span);
            }

            var record = _rest[..end];
            _rest = _rest[(end + 1)..];
            if (!record.Span.StartsWith("{\"type\":6"u8))
            {
                return record;
            }
        }
    }
}
