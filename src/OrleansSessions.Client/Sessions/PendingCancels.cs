using OrleansSessions.Client.Frames;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Sessions;

/// <summary>The cancels that the server has not answered. They are sent again on the next connection. All members hold the session's lock.</summary>
internal sealed class PendingCancels(ISessionEffects effects)
{
    private readonly List<PendingCancel> _pending = [];

    public bool IsEmpty => _pending.Count == 0;

    /// <summary>Cancels a question; without an id, the running one.</summary>
    /// <param name="running">The question that runs, as far as the client knows. The server decides, unless the connection is lost before it has.</param>
    /// <returns>Completes with null when the server has taken it, otherwise with the refusal. It never fails.</returns>
    public Task<SessionException?> AddAsync(string? id, string? running, bool isLive)
    {
        var cancel = new PendingCancel(id, running);
        _pending.Add(cancel);
        if (isLive)
        {
            Send(cancel);
        }

        return cancel.Answer.Task;
    }

    /// <summary>A connection has just become live. All of them must be sent on it, and those without an id get one.</summary>
    public void Begin(IReadOnlyList<OpenQuestion> open)
    {
        foreach (var cancel in _pending.ToArray())
        {
            // Without an id, it could end a question that began to run meanwhile.
            cancel.Id ??= cancel.Running;
            if (cancel.Id is null && cancel.IsSent)
            {
                Complete(cancel, RefusalErrors.Of(
                    WireErrors.NoOpenQuestion, "The connection was lost before the server answered, and no question was known to run then.", null));
                continue;
            }

            cancel.Id ??= open.Count > 0 ? open[0].QuestionId : null;
            cancel.IsDue = true;
        }
    }

    /// <summary>Sends those for one question, unless this connection has them.</summary>
    public void Send(string id) => Send(_pending.FindAll(cancel => cancel.IsDue && cancel.Id == id));

    /// <summary>Sends all that this connection does not have.</summary>
    public void SendAll() => Send(_pending.FindAll(static cancel => cancel.IsDue));

    /// <summary>The server is ending the question.</summary>
    public void Cancelling(string id)
    {
        if (!Ended(id) && _pending.Find(static cancel => cancel.Id is null && cancel.IsSent) is { } unnamed)
        {
            Complete(unnamed, null);
        }
    }

    /// <summary>The question has ended. Returns false if none of them was for it.</summary>
    public bool Ended(string id)
    {
        var taken = _pending.FindAll(cancel => (cancel.Id ?? cancel.Running) == id);
        taken.ForEach(cancel => Complete(cancel, null));
        return taken.Count > 0;
    }

    /// <summary>Takes an error that can refuse one of them: it is about the same question, or, like a cancel of the running one, about none.</summary>
    public void Refuse(ErrorMessage error)
    {
        if (_pending.Find(cancel => cancel.IsSent && cancel.Id == error.QuestionId) is { } refused)
        {
            Complete(refused, RefusalErrors.Of(error));
        }
    }

    public void Stop(SessionStop stop)
    {
        foreach (var cancel in _pending.ToArray())
        {
            Complete(cancel, new SessionStoppedException(stop));
        }
    }

    private void Send(List<PendingCancel> cancels) => cancels.ForEach(Send);

    private void Send(PendingCancel cancel)
    {
        (cancel.IsSent, cancel.IsDue) = (true, false);
        effects.Send(ClientFrames.Cancel(cancel.Id));
    }

    private void Complete(PendingCancel cancel, SessionException? refusal)
    {
        _pending.Remove(cancel);
        cancel.Answer.TrySetResult(refusal);
    }

    private sealed class PendingCancel(string? id, string? running)
    {
        public string? Id { get; set; } = id;

        public string? Running => running;

        public bool IsSent { get; set; }

        /// <summary>True if it must be sent on the present connection.</summary>
        public bool IsDue { get; set; }

        public TaskCompletionSource<SessionException?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
