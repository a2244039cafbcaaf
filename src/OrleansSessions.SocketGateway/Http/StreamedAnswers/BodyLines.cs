using System.Buffers;
using System.IO.Pipelines;

namespace OrleansSessions.SocketGateway.Http.StreamedAnswers;

/// <summary>What <see cref="BodyLines.ReadAsync"/> found.</summary>
internal enum LineOutcome
{
    /// <summary>A line, in <see cref="BodyLines.Line"/>.</summary>
    Line,

    /// <summary>The end of the body.</summary>
    End,

    /// <summary>A line over the limit. Nothing can be read after it.</summary>
    TooLong,
}

/// <summary>
/// Reads the lines of a body, one at a time. The next part of the body is only read when all lines before it were handed out, so a reader that is slow
/// slows down its client. Lines end with LF or CRLF, the last one also with the body. A line of spaces is skipped, but counts.
/// </summary>
/// <remarks>
/// The beginning of a line is copied before more is read. If it stayed in the web server's buffer, a client that leaves in the middle of a line would
/// make the web server read its connection twice, and log that as a fault.
/// </remarks>
internal sealed class BodyLines(PipeReader body, int maxLineBytes)
{
    private readonly ArrayBufferWriter<byte> _begun = new();
    private ReadOnlySequence<byte> _rest;
    private bool _isHeld;
    private bool _isComplete;
    private bool _isBegunHandedOut;

    /// <summary>The number of the last line, from 1; 0 before the first.</summary>
    public int Number { get; private set; }

    /// <summary>The last line, without its end. It is valid until the next read.</summary>
    public ReadOnlySequence<byte> Line { get; private set; }

    public async ValueTask<LineOutcome> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // 1. Hand out what is here. The last line needs no end.
            while (TryCut())
            {
                if (Line.Length > maxLineBytes)
                {
                    return LineOutcome.TooLong;
                }

                if (!IsBlank(Line))
                {
                    return LineOutcome.Line;
                }
            }

            if (_begun.WrittenCount + _rest.Length > maxLineBytes)
            {
                Number++;
                return LineOutcome.TooLong;
            }

            // 2. Keep the beginning of a line, give back the rest, and read on.
            Keep(_rest);
            Release();
            if (_isComplete)
            {
                return LineOutcome.End;
            }

            var read = await body.ReadAsync(cancellationToken);
            (_rest, _isHeld, _isComplete) = (read.Buffer, true, read.IsCompleted);
        }
    }

    /// <summary>Gives back what was read. Must be called at the end: the web server reads the rest of the body itself.</summary>
    public void Release()
    {
        if (_isHeld)
        {
            body.AdvanceTo(_rest.End);
            (_rest, _isHeld) = (default, false);
        }
    }

    private bool TryCut()
    {
        if (!_isHeld)
        {
            return false;
        }

        if (_isBegunHandedOut)
        {
            _begun.ResetWrittenCount();
            _isBegunHandedOut = false;
        }

        if (_rest.PositionOf((byte)'\n') is { } position)
        {
            Line = Join(_rest.Slice(0, position));
            _rest = _rest.Slice(_rest.GetPosition(1, position));
        }
        else if (_isComplete && _begun.WrittenCount + _rest.Length > 0)
        {
            Line = Join(_rest);
            _rest = _rest.Slice(_rest.End);
        }
        else
        {
            return false;
        }

        Number++;
        return true;
    }

    /// <summary>Joins the end of a line with its beginning, if that was read before.</summary>
    private ReadOnlySequence<byte> Join(ReadOnlySequence<byte> end)
    {
        if (_begun.WrittenCount == 0)
        {
            return end;
        }

        Keep(end);
        _isBegunHandedOut = true;
        return new(_begun.WrittenMemory);
    }

    private void Keep(ReadOnlySequence<byte> begun)
    {
        foreach (var part in begun)
        {
            _begun.Write(part.Span);
        }
    }

    private static bool IsBlank(ReadOnlySequence<byte> line)
    {
        foreach (var part in line)
        {
            if (part.Span.ContainsAnyExcept(" \t\r"u8))
            {
                return false;
            }
        }

        return true;
    }
}
