using OrleansSessions.Client.Updates;

namespace OrleansSessions.Client.Questions;

/// <summary>One enumeration of one answer.</summary>
/// <param name="from">What the reader has already; null for nothing.</param>
internal sealed class AnswerReader(Question question, AnswerPosition? from, Lock gate, CancellationToken first, CancellationToken second)
    : UpdateReader(gate, first, second), IUpdateSink
{
    private readonly PendingUpdates _pending = new(from?.Bytes ?? 0);

    public AnswerPosition? From => from;

    public bool IsAhead(string questionId, string? epoch) => _pending.IsAhead && from?.Epoch != epoch;

    public void Accept(AnswerAccepted accepted)
    {
        _pending.Accept(accepted);
        Wake();
    }

    public void Append(ReadOnlySpan<char> text, AnswerPosition position, string? question)
    {
        _pending.Append(text, position, question);
        Wake();
    }

    public void Restart(AnswerRestarted restarted)
    {
        _pending.Restart(restarted);
        Wake();
    }

    public void End(AnswerEnded ended)
    {
        _pending.Finish(ended);
        Complete(null);
    }

    public void Fail(AnswerFailed failed) => Complete(failed.Error);

    protected override AnswerUpdate? Take() => _pending.Take();

    protected override void Detach() => question.Detach(this);
}
