using System.Buffers;

namespace OrleansSessions.Responders.OpenAI.Bodies;

/// <summary>
/// Rewrites the lines of an event stream that a parser would not understand. It would ignore <c>error: {...}</c>, as llama.cpp wrote errors, and JSON without
/// a field name, so both become data. It would wait for a blank line after each event, so one is added after data that is a whole JSON value, unless the event
/// goes on. All else stays as it is.
/// </summary>
internal sealed class EventLines
{
    private readonly ArrayBufferWriter<byte> _lines = new();
    private readonly byte[] _start = new byte[ErrorField.Length];
    private int _startLength;
    private bool _isInStart = true;
    private bool _isData;
    private byte _lastBreak;
    private DataState _data;

    private static ReadOnlySpan<byte> ErrorField => "error:"u8;

    private static ReadOnlySpan<byte> DataField => "data:"u8;

    private static ReadOnlySpan<byte> WhiteSpace => " \t"u8;

    /// <returns>The lines, valid until the next call. They may be empty: the start of a line is held back until it is known what it is.</returns>
    public ReadOnlyMemory<byte> Rewrite(ReadOnlySpan<byte> bytes)
    {
        _lines.ResetWrittenCount();
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOfAny((byte)'\n', (byte)'\r');
            TakePart(end < 0 ? bytes : bytes[..end]);
            if (end < 0)
            {
                break;
            }

            EndLine(bytes[end]);
            bytes = bytes[(end + 1)..];
        }

        // Nothing more has come: the event is handed on now, whether or not a blank line follows.
        if (_isInStart && _startLength == 0)
        {
            EndWholeEvent();
        }

        return _lines.WrittenMemory;
    }

    private void TakePart(ReadOnlySpan<byte> part)
    {
        if (part.IsEmpty)
        {
            return;
        }

        if (_isInStart)
        {
            var length = Math.Min(part.Length, _start.Length - _startLength);
            part[..length].CopyTo(_start.AsSpan(_startLength));
            _startLength += length;
            part = part[length..];
            if (_startLength < _start.Length)
            {
                return;
            }

            DecideStart();
        }

        Write(part);
    }

    private void EndLine(byte lineBreak)
    {
        var isEmpty = _isInStart && _startLength == 0;
        if (isEmpty && lineBreak == '\n' && _lastBreak == '\r')
        {
            // The second half of CR LF.
            _lastBreak = lineBreak;
            _lines.Write([lineBreak]);
            return;
        }

        if (isEmpty)
        {
            _data = default;
        }
        else if (_isInStart)
        {
            DecideStart();
        }

        _lines.Write([lineBreak]);
        (_lastBreak, _isInStart, _startLength, _isData) = (lineBreak, true, 0, false);
    }

    private void DecideStart()
    {
        ReadOnlySpan<byte> start = _start.AsSpan(0, _startLength);
        _isInStart = false;
        var nameLength = start.StartsWith(DataField) ? DataField.Length : start.SequenceEqual(ErrorField) ? ErrorField.Length : 0;
        _isData = nameLength > 0 || start.StartsWith("{"u8);
        if (_isData)
        {
            EndWholeEvent();
            _lines.Write(DataField);
        }

        Write(start[nameLength..]);
    }

    private void EndWholeEvent()
    {
        if (_data.IsWhole)
        {
            _lines.Write([_lastBreak]);
            _data = default;
        }
    }

    private void Write(ReadOnlySpan<byte> part)
    {
        _lines.Write(part);
        if (_isData)
        {
            _data.Take(part);
        }
    }

    /// <summary>How far the data of the current event is. It can have several lines.</summary>
    private struct DataState
    {
        private JsonBoundary _boundary;
        private bool _hasEnded;
        private bool _hasMore;

        /// <summary>True if the data is one JSON value, or <c>[DONE]</c>, and nothing else.</summary>
        public readonly bool IsWhole => _hasEnded && !_hasMore;

        public void Take(ReadOnlySpan<byte> part)
        {
            if (!_hasEnded && _boundary.FindEnd(part) is var end and >= 0)
            {
                _hasEnded = true;
                part = part[end..];
            }

            _hasMore |= _hasEnded && !part.Trim(WhiteSpace).IsEmpty;
        }
    }
}
