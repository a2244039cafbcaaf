namespace OrleansSessions.Grains.Sessions;

/// <summary>One active session of this silo, as those see it who act on all of them: <see cref="LocalSessions"/>.</summary>
/// <param name="endEvicted">Called in a turn of the grain when its silo is evicted.</param>
internal sealed class LocalSession(IGrainContext grain, Session session, Func<Task> endEvicted)
{
    /// <summary>Safe to read from any thread; it can be out of date when the reader looks at it.</summary>
    public bool HasOpenQuestion => session.HasOpenQuestion;

    /// <summary>
    /// Asks the activation to leave. With an open question the session is activated on another silo at once; else the next call activates it. Calls that wait
    /// for it go with it.
    /// </summary>
    public void Leave()
    {
        if (HasOpenQuestion)
        {
            grain.Migrate(requestContext: null);
        }
        else
        {
            grain.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "This silo drains."));
        }
    }

    public void EndEvicted() => grain.Scheduler.QueueAction(static state => ((LocalSession)state!).RunEvicted(), this);

    private void RunEvicted() => endEvicted().Ignore();
}
