namespace OrleansSessions.Grains.Sessions;

/// <summary>One active session of this silo, as those see it who act on all of them: <see cref="LocalSessions"/>.</summary>
/// <param name="endEvicted">Called in a turn of the grain when its silo is evicted.</param>
internal sealed class LocalSession(IGrainContext grain, Session session, Func<Task> endEvicted)
{
    /// <summary>Safe to read from any thread; it can be out of date when the reader looks at it.</summary>
    public bool HasOpenQuestion => session.HasOpenQuestion;

    /// <summary>Asks the activation to leave. The calls that wait for it go to the next one.</summary>
    public void Leave() => grain.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "This silo drains."));

    public void EndEvicted() => grain.Scheduler.QueueAction(static state => ((LocalSession)state!).RunEvicted(), this);

    private void RunEvicted() => endEvicted().Ignore();
}
