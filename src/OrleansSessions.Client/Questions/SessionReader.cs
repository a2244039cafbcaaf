using OrleansSessions.Client.Updates;

namespace OrleansSessions.Client.Questions;

/// <summary>One enumeration of the updates of all questions.</summary>
internal sealed class SessionReader(QuestionTable questions, Lock gate, CancellationToken cancellationToken)
    : UpdateReader(gate, cancellationToken, CancellationToken.None), IUpdateSink
{
    /// <summary>The maximum number of questions with updates that were not read. There are only so many open ones, so the others have ended.</summary>
    internal const int MaxUnreadQuestions = 256;

    private readonly Dictionary<string, PendingUpdates> _pending = [];
    private readonly Queue<string> _order = [];

    public bool IsAhead(string questionId, string? epoch) => false;

    public void Accept(AnswerAccepted accepted) => Obtain(accepted.QuestionId)?.Accept(accepted);

    public void Append(ReadOnlySpan<char> text, AnswerPosition position, string? question) => Obtain(position.QuestionId)?.Append(text, position, question);

    public void Restart(AnswerRestarted restarted) => Obtain(restarted.QuestionId)?.Restart(restarted);

    public void End(AnswerEnded ended) => Obtain(ended.QuestionId)?.Finish(ended);

    public void Fail(AnswerFailed failed) => Obtain(failed.QuestionId)?.Finish(failed);

    protected override AnswerUpdate? Take()
    {
        while (_order.TryPeek(out var id))
        {
            if (_pending[id].Take() is { } update)
            {
                if (update is AnswerEnded or AnswerFailed)
                {
                    _pending.Remove(id);
                    _order.Dequeue();
                }

                return update;
            }

            // Nothing of this question waits now. What it has told is kept, for a restart, and the next update puts it in line again.
            _order.Dequeue();
        }

        return null;
    }

    protected override void Detach() => questions.Detach(this);

    private PendingUpdates? Obtain(string id)
    {
        if (!_pending.TryGetValue(id, out var pending))
        {
            if (_pending.Count == MaxUnreadQuestions)
            {
                Detach();
                Complete(new SessionException("reader_too_slow", $"The updates of more than {MaxUnreadQuestions} questions were not read."));
                return null;
            }

            _pending[id] = pending = new();
        }

        if (pending.IsEmpty && !_order.Contains(id))
        {
            _order.Enqueue(id);
        }

        Wake();
        return pending;
    }
}
