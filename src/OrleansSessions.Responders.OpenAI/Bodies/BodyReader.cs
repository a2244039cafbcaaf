using System.Buffers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace OrleansSessions.Responders.OpenAI.Bodies;

/// <summary>
/// Splits the body of a response into the data of its events, as they arrive. The body decides what it is, not its content type, which servers often get wrong:
/// server-sent events, or one or more JSON values.
/// </summary>
internal sealed class BodyReader(Stream body)
{
    /// <summary>
    /// The largest event, in bytes, as a bound on memory. With each byte escaped as six, an answer of the default <c>Sessions:MaxAnswerBytes</c> fits twice.
    /// </summary>
    private const int MaxEventBytes = 16 * 1024 * 1024;

    private const int BufferSize = 16 * 1024;
    private const byte CommentMark = (byte)':';
    private const char GzipMark = '\x1F';

    private readonly byte[] _buffer = new byte[BufferSize];
    private ReadOnlyMemory<byte> _bytes;
    private long _sinceEvent;

    private static ReadOnlySpan<byte> WhiteSpace => " \t\r\n"u8;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>True once anything but white space and comments has come.</summary>
    public bool HasContent { get; private set; }

    /// <summary>True once the upstream has ended the body. An event that comes after that was not completed.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>
    /// Reads the events. An event whose data is empty means that bytes have come that do not complete an event: a comment, white space, a part of an event.
    /// The data is valid until the next event is read.
    /// </summary>
    /// <exception cref="BodyFormatException">The body is something else, or an event is too large.</exception>
    public async IAsyncEnumerable<SseItem<ReadOnlyMemory<byte>>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // 1. Skip white space, which some servers send to keep a connection open until they have an answer.
        while (await FillAsync(cancellationToken) && IsBlank())
        {
            yield return default;
        }

        if (HasEnded)
        {
            yield break;
        }

        // 2. The first character says what it is.
        var start = _bytes[^_bytes.Span.TrimStart(WhiteSpace).Length..];
        HasContent = start.Span[0] != CommentMark;
        var events = IsJson(start.Span) ? ReadValuesAsync(cancellationToken) : ReadEventsAsync(cancellationToken);
        await foreach (var item in events.WithCancellation(cancellationToken))
        {
            HasContent |= !item.Data.IsEmpty;
            yield return item;
            if (!item.Data.IsEmpty)
            {
                _sinceEvent = 0;
            }
        }
    }

    /// <summary>Server-sent events, by the platform's parser.</summary>
    private async IAsyncEnumerable<SseItem<ReadOnlyMemory<byte>>> ReadEventsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = new EventLines();
        var pushed = new PushedStream();
        var events = SseParser.Create(pushed, static (_, data) => (ReadOnlyMemory<byte>)data.ToArray()).EnumerateAsync(cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        var next = events.MoveNextAsync().AsTask();
        try
        {
            for (var hasBytes = true; ; hasBytes = await FillAsync(cancellationToken))
            {
                // The parser drops an event that is not followed by a blank line. Many servers forget the one after the last event.
                if (!hasBytes)
                {
                    pushed.End("\n\n"u8.ToArray());
                }
                else if (lines.Rewrite(_bytes.Span) is { IsEmpty: false } whole)
                {
                    pushed.Push(whole);
                }

                if (await IsWaitingAsync(pushed, next))
                {
                    yield return default;
                }

                while (!await IsWaitingAsync(pushed, next))
                {
                    if (!await next)
                    {
                        yield break;
                    }

                    yield return events.Current;
                    next = events.MoveNextAsync().AsTask();
                }
            }
        }
        finally
        {
            // The parser must not be disposed while it waits for bytes.
            if (await IsWaitingAsync(pushed, next))
            {
                pushed.End(default);
                await next;
            }

            await events.DisposeAsync();
        }
    }

    /// <summary>True if the parser waits for bytes, false if it has an event or has ended.</summary>
    private static async ValueTask<bool> IsWaitingAsync(PushedStream pushed, Task next)
    {
        // The parser runs within the push, so this does not wait, except where the runtime has moved its continuation to another thread.
        while (!pushed.IsWaiting && !next.IsCompleted)
        {
            await Task.Yield();
        }

        return pushed.IsWaiting;
    }

    /// <summary>JSON values, one after the other: one completion, or one chunk on each line.</summary>
    private async IAsyncEnumerable<SseItem<ReadOnlyMemory<byte>>> ReadValuesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var value = new ArrayBufferWriter<byte>();
        var boundary = default(JsonBoundary);
        do
        {
            while (boundary.FindEnd(_bytes.Span) is var end and >= 0)
            {
                value.Write(_bytes.Span[..end]);
                _bytes = _bytes[end..];
                yield return new(value.WrittenMemory);
                value.ResetWrittenCount();
                boundary = default;
            }

            value.Write(_bytes.Span);
            yield return default;
        }
        while (await FillAsync(cancellationToken));

        // What is left was cut off, or is no JSON: whoever parses it finds out.
        if (!value.WrittenSpan.Trim(WhiteSpace).IsEmpty)
        {
            yield return new(value.WrittenMemory);
        }
    }

    /// <summary>Reads the next bytes. False if there are none any more.</summary>
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        var length = await body.ReadAsync(_buffer, cancellationToken);
        _bytes = _buffer.AsMemory(0, length);
        _sinceEvent += length;
        HasEnded = length == 0;
        return _sinceEvent <= MaxEventBytes ? length > 0 : throw new BodyFormatException("an endless event");
    }

    private bool IsBlank()
    {
        if (_bytes.Span.StartsWith(ByteOrderMark))
        {
            _bytes = _bytes[ByteOrderMark.Length..];
        }

        return _bytes.Span.TrimStart(WhiteSpace).IsEmpty;
    }

    private static bool IsJson(ReadOnlySpan<byte> start) => (char)start[0] switch
    {
        '<' => throw new BodyFormatException("a web page"),
        GzipMark => throw new BodyFormatException("compressed data (gzip), which was not asked for,"),
        '{' or '[' => true,
        _ => false,
    };
}
