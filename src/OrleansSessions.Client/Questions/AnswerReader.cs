using OrleansSessions.Client.Updates;

namespace OrleansSessions.Client.Questions;

/// <summary>One enumeration of one answer.</summary>
/// <param name="bytesToSkip">How much of the text the reader has already.</param>
internal sealed class AnswerReader(Question question, long bytesToSkip, Lock gate, CancellationToken cancellationToken)
    : UpdateReader(gate, cancellationToken), IUpdateSink
{
    private readonly PendingUpdates _pending = new(bytesToSkip);

    public bool IsAhead(string questionId) => _pending.IsAhead;

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
