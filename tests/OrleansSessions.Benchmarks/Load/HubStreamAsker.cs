namespace OrleansSessions.Benchmarks.Load;

/// <summary>A hub method that streams its answer: an item for each word, then a completion.</summary>
internal sealed class HubStreamAsker(Uri address, int words) : HubClient(address)
{
    private readonly NumberedQuestion _question =
        new("{\"type\":4,\"invocationId\":\"1\",\"target\":\"AskInPieces\",\"arguments\":[\"", words, "\"]}\u001e");

    private readonly AnswerText _answer = new();

    public override async ValueTask<AnswerShape> AskAsync()
    {
        _answer.Clear();
        await InvokeAsync(_question.Next());
        while (true)
        {
            var record = await NextRecordAsync();
            if (IsLast(record.Span))
            {
                return new AnswerShape(words, Frames);
            }
        }
    }

    private bool IsLast(ReadOnlySpan<byte> record)
    {
        if (record.StartsWith("{\"type\":2"u8) && WireText.TryRead(record, "\"item\":\""u8, out var text))
        {
            _answer.Append(text);
            return false;
        }

        if (!record.StartsWith("{\"type\":3"u8) || record.IndexOf("\"error\":"u8) >= 0)
        {
            throw WrongAnswerException.For(_question.Text, record);
        }

        _answer.MustBe(_question.Text);
        return true;
    }
}
