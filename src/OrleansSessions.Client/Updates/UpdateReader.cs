using System.Diagnostics.CodeAnalysis;

namespace OrleansSessions.Client.Updates;

/// <summary>One enumeration of updates. Reading and writing hold the session's lock; waiting does not.</summary>
internal abstract class UpdateReader(Lock gate, CancellationToken first, CancellationToken second) : IAsyncEnumerator<AnswerUpdate>
{
    private readonly CancellationTokenSource _either = CancellationTokenSource.CreateLinkedTokenSource(first, second);
    private TaskCompletionSource? _changed;
    private AnswerUpdate? _current;
    private bool _isOver;
    private Exception? _fault;

    public AnswerUpdate Current => _current ?? throw new InvalidOperationException("There is no update before the first MoveNextAsync.");

    public async ValueTask<bool> MoveNextAsync()
    {
        while (true)
        {
            _either.Token.ThrowIfCancellationRequested();
            Task changed;
            lock (gate)
            {
                if (TryTake(out _current))
                {
                    return true;
                }

                if (_isOver)
                {
                    return _fault is null ? false : throw _fault;
                }

                _changed ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                changed = _changed.Task;
            }

            await changed.WaitAsync(_either.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the next update without waiting. Returns false if there is none now.</summary>
    public bool TryTake([NotNullWhen(true)] out AnswerUpdate? update)
    {
        lock (gate)
        {
            update = Take();
            return update is not null;
        }
    }

    /// <summary>Stops the enumeration. The question is not cancelled.</summary>
    public ValueTask DisposeAsync()
    {
        lock (gate)
        {
            _isOver = true;
            Detach();
        }

        _either.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends the sequence after what is still to be read.</summary>
    /// <param name="fault">What the reader's next call throws then; null for an ordinary end.</param>
    public void Complete(Exception? fault)
    {
        if (!_isOver)
        {
            (_isOver, _fault) = (true, fault);
            Wake();
        }
    }

    /// <summary>Takes the next update, or returns null.</summary>
    protected abstract AnswerUpdate? Take();

    protected abstract void Detach();

    protected void Wake()
    {
        var changed = _changed;
        _changed = null;
        changed?.TrySetResult();
    }
}
