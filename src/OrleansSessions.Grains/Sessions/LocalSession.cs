namespace OrleansSessions.Grains.Sessions;

/// <summary>One active session of this silo, as those see it who act on all of them: <see cref="LocalSessions"/>.</summary>
/// <param name="endEvicted">Called in a turn of the grain when its silo is evicted.</param>
internal sealed class LocalSession(IGrainContext grain, Session session, SessionStore store, Func<Task> endEvicted)
{
    private volatile bool _isLeaving;

    /// <summary>Safe to read from any thread; it can be out of date when the reader looks at it.</summary>
    public bool HasOpenQuestion => session.HasOpenQuestion;

    /// <summary>True while the activation has work: an open question, or something that waits to be written. Safe and late as the other.</summary>
    public bool IsBusy => HasOpenQuestion || store.NeedsActivation;

    /// <summary>
    /// Asks the activation to leave. A session that is busy is activated on another silo at once; else the next call activates it. Calls that wait for it go
    /// with it.
    /// </summary>
    public void Leave()
    {
        _isLeaving = true;
        if (IsBusy)
        {
            grain.Migrate(requestContext: null);
        }
        else
        {
            grain.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "This silo drains."));
        }
    }

    /// <summary>
    /// Call this when the activation leaves. A question that was being asked when an idle session was told to leave is accepted before that happens, and must not
    /// wait until somebody calls.
    /// </summary>
    public void MoveIfAskedMeanwhile()
    {
        if (_isLeaving && HasOpenQuestion)
        {
            grain.Migrate(requestContext: null);
        }
    }

    public void EndEvicted() => grain.Scheduler.QueueAction(static state => ((LocalSession)state!).RunEvicted(), this);

    private void RunEvicted() => endEvicted().Ignore();
}
