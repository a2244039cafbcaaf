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
internal sealed class BodyLines(PipeReader body, int maxLineBytes)
{
    private ReadOnlySequence<byte> _rest;
    private bool _isHeld;
    private bool _isComplete;
    private long _searched;

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

            if (_rest.Length > maxLineBytes)
            {
                Number++;
                return LineOutcome.TooLong;
            }

            // 2. Give back what was handed out, and read on.
            Release();
            if (_isComplete)
            {
                return LineOutcome.End;
            }

            var read = await body.ReadAsync(cancellationToken);
            (_rest, _isHeld, _isComplete) = (read.Buffer, true, read.IsCompleted);
        }
    }

    /// <summary>Gives back what is not read. Must be called at the end: the web server reads the rest of the body itself.</summary>
    public void Release()
    {
        if (_isHeld)
        {
            body.AdvanceTo(_rest.Start, _rest.End);
            (_rest, _isHeld) = (default, false);
        }
    }

    private bool TryCut()
    {
        if (!_isHeld)
        {
            return false;
        }

        // A long line comes in many parts: what was searched is not searched again.
        var end = _rest.Slice(_searched).PositionOf((byte)'\n');
        if (end is { } position)
        {
            (Line, _rest) = (_rest.Slice(0, position), _rest.Slice(_rest.GetPosition(1, position)));
        }
        else if (_isComplete && !_rest.IsEmpty)
        {
            (Line, _rest) = (_rest, _rest.Slice(_rest.End));
        }
        else
        {
            _searched = _rest.Length;
            return false;
        }

        _searched = 0;
        Number++;
        return true;
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
