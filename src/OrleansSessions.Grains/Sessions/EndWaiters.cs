namespace OrleansSessions.Grains.Sessions;

/// <summary>The calls that wait for the end of a question.</summary>
internal sealed class EndWaiters(TimeProvider time)
{
    private Dictionary<string, TaskCompletionSource>? _byQuestion;

    /// <summary>Waits until <see cref="Complete"/> is called for a question, or until the patience is over.</summary>
    public Task WaitAsync(string questionId, TimeSpan patience)
    {
        _byQuestion ??= new(StringComparer.Ordinal);
        if (!_byQuestion.TryGetValue(questionId, out var ended))
        {
            _byQuestion[questionId] = ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return Task.WhenAny(ended.Task, Task.Delay(patience, time));
    }

    public void Complete(string questionId)
    {
        if (_byQuestion?.Remove(questionId, out var ended) == true)
        {
            ended.TrySetResult();
        }
    }

    public void CompleteAll()
    {
        foreach (var ended in _byQuestion?.Values ?? Enumerable.Empty<TaskCompletionSource>())
        {
            ended.TrySetResult();
        }
    }
}
