namespace OrleansSessions.Grains.Sessions;

/// <summary>Keeps one session that was never asked awake for a while, see <see cref="UnaskedSessions"/>.</summary>
/// <param name="onOver">Called in a turn of the grain when the time is over.</param>
internal sealed class UnaskedStay(UnaskedSessions sessions, IGrainContext grain, Action onOver)
{
    private StayQueue.Stay? _stay;
    private bool _isForClient;

    /// <summary>A client has gone, and can come back. Replaces a wait for calls, which is shorter.</summary>
    public void WaitForClient()
    {
        if (!_isForClient)
        {
            End();
            _isForClient = true;
            _stay = Keep(sessions.Clients);
        }
    }

    /// <summary>A call has ended, and others can wait behind it.</summary>
    public void WaitForCalls() => _stay ??= Keep(sessions.Calls);

    public void End()
    {
        _isForClient = false;
        _stay?.Release();
        _stay = null;
    }

    private StayQueue.Stay Keep(StayQueue queue) => queue.Keep(stay => grain.Scheduler.QueueAction(() => End(stay)));

    /// <summary>Its time is over. A client may have come back and gone again meanwhile: that began another stay, which goes on.</summary>
    private void End(StayQueue.Stay stay)
    {
        if (_stay == stay)
        {
            End();
            onOver();
        }
    }
}
