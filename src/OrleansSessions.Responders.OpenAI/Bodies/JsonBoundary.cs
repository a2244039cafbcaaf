namespace OrleansSessions.Responders.OpenAI.Bodies;

/// <summary>Finds where each JSON object or array ends in bytes that arrive in pieces. It looks at brackets and strings only, and each byte once.</summary>
internal struct JsonBoundary
{
    private int _depth;
    private bool _isInString;
    private bool _isEscaped;

    /// <summary>The number of bytes up to the end of the value, its last bracket included; -1 if it does not end in these bytes.</summary>
    public int FindEnd(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (Take(bytes[i]))
            {
                return i + 1;
            }
        }

        return -1;
    }

    private bool Take(byte value)
    {
        if (_isInString)
        {
            _isInString = _isEscaped || value != (byte)'"';
            _isEscaped = !_isEscaped && value == (byte)'\\';
            return false;
        }

        switch (value)
        {
            case (byte)'"':
                _isInString = true;
                break;
            case (byte)'{' or (byte)'[':
                _depth++;
                break;
            case (byte)'}' or (byte)']':
                return --_depth <= 0;
        }

        return false;
    }
}
