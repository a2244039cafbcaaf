using System.Runtime.CompilerServices;
using OrleansSessions.Client.Questions;

namespace OrleansSessions.Client;

/// <summary>
/// The answer to a question, in two forms: <c>await foreach</c> streams it, and <c>await</c> waits for all of it. Both can be used, in any order, any number
/// of times, and at once. Neither has to be: an answer that nobody waits for raises nothing.
/// </summary>
/// <remarks>
/// Lost connections do not end an answer. An enumeration that is left early, or whose token is cancelled, does not cancel the question:
/// <see cref="SessionClient.CancelAsync"/> does. How a question ended is a value, also if it failed: <see cref="AnswerEnd.Status"/>. These are exceptions, of
/// <c>await</c> and of the enumeration: <see cref="SessionRefusedException"/>, <see cref="QuestionLostException"/>, <see cref="AnswerUnreadableException"/> and
/// <see cref="SessionStoppedException"/>. All of them are a <see cref="SessionException"/>.
/// </remarks>
public sealed class Answer : IAsyncEnumerable<AnswerUpdate>
{
    private readonly Question _question;
    private readonly AnswerPosition? _from;
    private readonly Lock _gate;
    private readonly CancellationToken _cancellationToken;

    internal Answer(Question question, AnswerPosition? from, Lock gate, CancellationToken cancellationToken)
    {
        (_question, _from, _gate, _cancellationToken) = (question, from, gate, cancellationToken);
    }

    /// <summary>The id of the question.</summary>
    public string QuestionId => _question.Id;

    /// <summary>Where the answer is now. <see cref="SessionClient.ResumeAsync"/> goes on from there, in this process or another one.</summary>
    public AnswerPosition Position
    {
        get
        {
            lock (_gate)
            {
                return _question.Position;
            }
        }
    }

    /// <summary>Waits for the end of the question, and returns it with the whole text.</summary>
    /// <param name="cancellationToken">Ends the wait, not the question.</param>
    /// <exception cref="SessionException">There is no end: see the remarks of this type.</exception>
    public async Task<AnswerEnd> WholeAsync(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
        await _question.Over.WaitAsync(either.Token).ConfigureAwait(false);
        return _question.End ?? throw _question.Fault!;
    }

    /// <summary>Makes <c>await answer</c> the same as <c>await answer.WholeAsync()</c>.</summary>
    public TaskAwaiter<AnswerEnd> GetAwaiter() => WholeAsync().GetAwaiter();

    /// <summary>Begins an enumeration: what there is so far, and then what comes. What is not read yet is joined, so a slow reader costs no memory.</summary>
    /// <param name="cancellationToken">Ends the enumeration, not the question.</param>
    public IAsyncEnumerator<AnswerUpdate> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        var reader = new AnswerReader(_question, _from, _gate, _cancellationToken, cancellationToken);
        lock (_gate)
        {
            _question.AttachReader(reader);
        }

        return reader;
    }
}
