namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// Keeps one session that was never asked awake for a while after its last socket has gone: a client that comes back soon must find the epoch that it was sent.
/// </summary>
/// <param name="onOver">Called in a turn of the grain when the time is over.</param>
internal sealed class UnaskedStay(UnaskedSessions sessions, IGrainContext grain, Action onOver)
{
    private UnaskedSessions.Stay? _stay;

    public bool HasBegun => _stay is not null;

    public void Begin() => _stay ??= sessions.Keep(stay => grain.Scheduler.QueueAction(() => End(stay)));

    public void End()
    {
        if (_stay is { } stay)
        {
            _stay = null;
            sessions.Release(stay);
        }
    }

    /// <summary>Its time is over. A client may have come back and gone again meanwhile: that began another stay, which goes on.</summary>
    private void End(UnaskedSessions.Stay stay)
    {
        if (_stay == stay)
        {
            End();
            onOver();
        }
    }
}
