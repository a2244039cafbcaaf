namespace OrleansSessions.Benchmarks.Load;

/// <summary>Version 1: the answer arrives as deltas, alone or in runs, and ends with <c>done</c>.</summary>
internal sealed class V1Asker(Uri address, int words, string? token = null) : Asker(address, token)
{
    private readonly NumberedQuestion _question = new("{\"type\":\"question\",\"question\":\"", words, "\"}");
    private readonly AnswerText _answer = new();
    private int _deltas;

    public override async ValueTask<AnswerShape> AskAsync()
    {
        _answer.Clear();
        _deltas = 0;
        await Socket.SendAsync(_question.Next());
        for (var frames = 1; ; frames++)
        {
            var frame = await Socket.ReceiveAsync();
            if (IsLast(frame.Span))
            {
                return new AnswerShape(words, frames);
            }
        }
    }

    protected override async Task GreetAsync()
    {
        var hello = await Socket.ReceiveAsync();
        if (!hello.Span.StartsWith("{\"type\":\"hello\""u8))
        {
            throw WrongAnswerException.For("hello"u8, hello.Span);
        }
    }

    private bool IsLast(ReadOnlySpan<byte> frame)
    {
        if (frame.StartsWith("{\"type\":\"delta\""u8))
        {
            Append(frame);
            return false;
        }

        if (frame.StartsWith("{\"type\":\"done\""u8))
        {
            CheckEnd(frame);
            return true;
        }

        // Other frames (accepted, ping) are not part of the answer. An error is a wrong answer.
        return frame.StartsWith("{\"type\":\"error\""u8) ? throw WrongAnswerException.For(_question.Text, frame) : false;
    }

    private void Append(ReadOnlySpan<byte> frame)
    {
        if (WireText.TryReadNumber(frame, "\"index\":"u8) != _deltas || !WireText.TryRead(frame, "\"text\":\""u8, out var text))
        {
            throw WrongAnswerException.For(_question.Text, frame);
        }

        _deltas += WireText.TryReadNumber(frame, "\"count\":"u8) ?? 1;
        _answer.Append(text);
    }

    private void CheckEnd(ReadOnlySpan<byte> frame)
    {
        _answer.MustBe(_question.Text);
        if (frame.IndexOf("\"status\":\"completed\""u8) < 0
            || WireText.TryReadNumber(frame, "\"deltas\":"u8) != _deltas
            || WireText.TryReadNumber(frame, "\"bytes\":"u8) != _question.Text.Length)
        {
            throw WrongAnswerException.For(_question.Text, frame);
        }
    }
}
