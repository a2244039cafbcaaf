namespace OrleansSessions.Benchmarks.Load;

/// <summary>The basic profile: a question of one word, an answer of one frame.</summary>
internal sealed class BasicAsker(Uri address) : Asker(address)
{
    private readonly NumberedQuestion _question = new("{\"question\":\"", 1, "\"}");

    public override async ValueTask<AnswerShape> AskAsync()
    {
        await Socket.SendAsync(_question.Next());
        var frame = await Socket.ReceiveAsync();
        Check(frame.Span);
        return new AnswerShape(Pieces: 1, Frames: 1);
    }

    private void Check(ReadOnlySpan<byte> frame)
    {
        if (!frame.StartsWith("{\"type\":\"response\""u8)
            || !WireText.TryRead(frame, "\"data\":\""u8, out var text)
            || !text.SequenceEqual(_question.Text))
        {
            throw WrongAnswerException.For(_question.Text, frame);
        }
    }
}
