using OrleansSessions.Client.Log;

namespace OrleansSessions.Client.Questions;

/// <summary>
/// The questions that have not ended, in the order in which this client learned of them, and the ids of the last ones that have: a server can repeat the
/// events of an ended question, and these are not told again. All members hold the session's lock.
/// </summary>
internal sealed class QuestionTable(string session, LogPosition log)
{
    private const int MaxEnded = 256;
    private readonly OrderedDictionary<string, Question> _open = [];
    private readonly Dictionary<string, long> _ended = [];
    private readonly Queue<string> _endedOrder = [];
    private readonly List<SessionReader> _followers = [];
    private SessionStop? _stop;

    public IReadOnlyList<SessionReader> Followers => _followers;

    public IReadOnlyCollection<Question> Open => _open.Values;

    /// <summary>
    /// The question that the server answers, as far as this client knows. While it knows of none, the first one that it asks itself; null without that.
    /// </summary>
    public Question? Running =>
        Open.Where(static question => question is { IsAccepted: true, IsMissing: false, KnownEnd: null }).MinBy(static question => question.Order)
        ?? Open.FirstOrDefault(static question => question.Ask is not null);

    public Question? Find(string id) => _open.GetValueOrDefault(id);

    public bool HasEnded(string id) => _ended.ContainsKey(id);

    /// <summary>True if the event that accepts a question is of a new question, although an ended one had its id.</summary>
    public bool IsNew(string id, long acceptedSeq) => _ended.TryGetValue(id, out var earlier) && earlier != acceptedSeq;

    /// <summary>Finds a question, or begins to follow it.</summary>
    public Question Obtain(string id)
    {
        if (!_open.TryGetValue(id, out var question))
        {
            _open[id] = question = new(session, id, log, this);
            if (_stop is not null)
            {
                question.Fail(new SessionStoppedException(_stop));
            }
        }

        return question;
    }

    /// <summary>A question that is not asked. It is over at once, and only its asker learns of it.</summary>
    public Question Refused(string id, SessionException fault)
    {
        var question = new Question(session, id, log, this);
        question.Refuse(fault);
        return question;
    }

    public void Remove(Question question)
    {
        _open.Remove(question.Id);
        if (!question.IsAccepted)
        {
            return;
        }

        if (!_ended.ContainsKey(question.Id))
        {
            _endedOrder.Enqueue(question.Id);
        }

        _ended[question.Id] = Math.Max(question.AcceptedSeq, _ended.GetValueOrDefault(question.Id));
        if (_endedOrder.Count > MaxEnded)
        {
            _ended.Remove(_endedOrder.Dequeue());
        }
    }

    /// <summary>Tells a reader of all questions what there is so far, and what follows.</summary>
    public void Attach(SessionReader reader)
    {
        foreach (var question in _open.Values.Where(static question => !question.IsQuiet))
        {
            question.Attach(reader);
        }

        if (_stop is null)
        {
            _followers.Add(reader);
        }
        else
        {
            Complete(reader, _stop);
        }
    }

    public void Detach(SessionReader reader) => _followers.Remove(reader);

    /// <summary>Ends everything, because the session stopped.</summary>
    public void Stop(SessionStop stop)
    {
        _stop = stop;
        foreach (var question in _open.Values.ToArray())
        {
            question.Fail(new SessionStoppedException(stop));
        }

        foreach (var reader in _followers.ToArray())
        {
            Complete(reader, stop);
        }

        _followers.Clear();
    }

    private static void Complete(SessionReader reader, SessionStop stop) =>
        reader.Complete(stop.Reason == SessionStopReason.Closed ? null : new SessionStoppedException(stop));
}
