using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Questions;

/// <summary>The open questions of a session: the one that runs, and those that wait for it.</summary>
internal sealed class QuestionQueue
{
    private readonly List<Question> _waiting = [];

    /// <summary>The one question that runs, or null: I1 is that there is room for one.</summary>
    public Question? Running { get; private set; }

    /// <summary>Those that wait, in order.</summary>
    public IReadOnlyList<Question> Waiting => _waiting;

    /// <summary>Running first, then waiting in order.</summary>
    public IEnumerable<Question> All => Running is null ? _waiting : _waiting.Prepend(Running);

    /// <summary>An open question by its id, or null.</summary>
    public Question? Find(string id)
    {
        if (Running?.Id == id)
        {
            return Running;
        }

        foreach (var question in _waiting)
        {
            if (question.Id == id)
            {
                return question;
            }
        }

        return null;
    }

    /// <summary>0 for one that does not wait, else its place in the queue, from 1.</summary>
    public int PositionOf(Question question) => _waiting.IndexOf(question) + 1;

    /// <summary>Takes a new question: it runs at once where none runs, else it waits.</summary>
    public void Add(Question question, DateTimeOffset now)
    {
        if (Running is null)
        {
            Start(question, now);
        }
        else
        {
            question.Status = QuestionStatus.Queued;
            _waiting.Add(question);
            question.AcceptedPosition = _waiting.Count;
        }
    }

    /// <summary>Takes the open questions of a stored session, which keep their status.</summary>
    public void Restore(IEnumerable<Question> questions)
    {
        foreach (var question in questions)
        {
            if (question.Status == QuestionStatus.Queued)
            {
                _waiting.Add(question);
            }
            else
            {
                Running = question;
            }
        }
    }

    /// <summary>Removes a question, running or waiting. The next one does not start by itself: another question can take the place.</summary>
    public void Remove(Question question)
    {
        if (ReferenceEquals(question, Running))
        {
            Running = null;
        }
        else
        {
            _waiting.Remove(question);
        }
    }

    /// <summary>Starts the question that has waited longest, where none runs.</summary>
    public void StartNext(DateTimeOffset now)
    {
        if (Running is null && _waiting.Count > 0)
        {
            var next = _waiting[0];
            _waiting.RemoveAt(0);
            Start(next, now);
        }
    }

    public void Clear()
    {
        Running = null;
        _waiting.Clear();
    }

    private void Start(Question question, DateTimeOffset now)
    {
        question.Status = QuestionStatus.Accepted;
        question.StartedAt = question.AttemptStartedAt = now;
        Running = question;
    }
}
