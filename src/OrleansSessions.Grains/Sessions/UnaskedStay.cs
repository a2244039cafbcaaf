namespace OrleansSessions.Grains.Sessions;

/// <summary>Keeps one session that was never asked awake for a while, see <see cref="UnaskedSessions"/>.</summary>
/// <param name="isInUse">True once the session is worth its memory: then it stays without this.</param>
internal sealed class UnaskedStay(UnaskedSessions sessions, SessionActivation activation, Func<bool> isInUse)
{
    private StayQueue.Stay? _stay;
    private bool _isForClient;
    private int _holds;

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

    /// <summary>Every call ends with this. Others can wait behind it.</summary>
    public void EndCall()
    {
        if (isInUse())
        {
            End();
        }
        else
        {
            _stay ??= Keep(sessions.Calls);
        }
    }

    /// <summary>
    /// Keeps the session awake until the result is disposed of, whatever ends meanwhile. A question that waits for its permit is not in the session yet, and
    /// would be lost with the activation.
    /// </summary>
    public Hold KeepAwake()
    {
        _holds++;
        return new(this);
    }

    public void End()
    {
        _isForClient = false;
        _stay?.Release();
        _stay = null;
    }

    private StayQueue.Stay Keep(StayQueue queue) => queue.Keep(stay => activation.Grain.GrainContext.Scheduler.QueueAction(() => End(stay)));

    /// <summary>Its time is over. A client may have come back and gone again meanwhile: that began another stay, which goes on.</summary>
    private void End(StayQueue.Stay stay)
    {
        if (_stay != stay)
        {
            return;
        }

        // A call that is under way begins another stay at its end.
        End();
        if (_holds == 0 && !isInUse())
        {
            activation.Leave();
        }
    }

    /// <summary>One call's hold on the session.</summary>
    internal readonly struct Hold(UnaskedStay stay) : IDisposable
    {
        public void Dispose() => stay._holds--;
    }
}
