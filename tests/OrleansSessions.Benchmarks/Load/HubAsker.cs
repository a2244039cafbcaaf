namespace OrleansSessions.Benchmarks.Load;

/// <summary>A hub method that returns its answer: one invocation, one completion.</summary>
internal sealed class HubAsker(Uri address) : HubClient(address)
{
    private readonly NumberedQuestion _question =
        new("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Ask\",\"arguments\":[\"", 1, "\"]}\u001e");

    public override async ValueTask<AnswerShape> AskAsync()
    {
        await InvokeAsync(_question.Next());
        var record = await NextRecordAsync();
        Check(record.Span);
        return new AnswerShape(Pieces: 1, Frames);
    }

    private void Check(ReadOnlySpan<byte> record)
    {
        if (!record.StartsWith("{\"type\":3"u8)
            || !WireText.TryRead(record, "\"result\":\""u8, out var text)
            || !text.SequenceEqual(_question.Text))
        {
            throw WrongAnswerException.For(_question.Text, record);
        }
    }
}
