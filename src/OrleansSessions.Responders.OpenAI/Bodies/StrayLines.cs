using System.Buffers;

namespace OrleansSessions.Responders.OpenAI.Bodies;

/// <summary>
/// Turns lines that an event stream does not have into data: <c>error: {...}</c>, as llama.cpp wrote errors, and JSON without a field name. A parser of events
/// would ignore them, and an answer that ended in an error would look whole. All other lines stay as they are.
/// </summary>
internal sealed class StrayLines
{
    private readonly ArrayBufferWriter<byte> _lines = new();
    private bool _isAtStart = true;
    private int _held;

    private static ReadOnlySpan<byte> ErrorField => "error:"u8;

    /// <returns>The lines, valid until the next call. They may be empty: the start of a line is held back as long as it can become an error.</returns>
    public ReadOnlyMemory<byte> Fix(ReadOnlySpan<byte> bytes)
    {
        _lines.ResetWrittenCount();
        while (!bytes.IsEmpty)
        {
            if (_isAtStart)
            {
                TakeStart(ref bytes);
            }
            else
            {
                var end = bytes.IndexOfAny((byte)'\n', (byte)'\r');
                var length = end < 0 ? bytes.Length : end + 1;
                _isAtStart = end >= 0;
                _lines.Write(bytes[..length]);
                bytes = bytes[length..];
            }
        }

        return _lines.WrittenMemory;
    }

    private void TakeStart(ref ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && _held < ErrorField.Length && bytes[0] == ErrorField[_held])
        {
            _held++;
            bytes = bytes[1..];
        }

        if (_held < ErrorField.Length && bytes.IsEmpty)
        {
            return;
        }

        var isStray = _held == ErrorField.Length || (_held == 0 && bytes[0] == (byte)'{');
        _lines.Write(isStray ? "data: "u8 : ErrorField[.._held]);
        (_isAtStart, _held) = (false, 0);
    }
}
