namespace OrleansSessions.Grains.Sessions;

// The silo is no longer a member of its cluster: another one may hold this session already, and only the store's owner may write.
internal sealed partial class SessionGrain
{
    private CancellationTokenRegistration _eviction;

    /// <summary>The last step of an activation: one that fails is not deactivated, and would stay registered for good.</summary>
    private void FollowEviction() =>
        _eviction = _services.Eviction.Evicted.UnsafeRegister(
            static state => ((SessionGrain)state!).GrainContext.Scheduler.QueueAction(static grain => ((SessionGrain)grain!).EndEvicted(), state), this);

    /// <summary>Ends what is open and tells the attached sockets, without a write.</summary>
    private void EndEvicted()
    {
        if (_session.HasOpenQuestion)
        {
            _session.EndLost(Now);
            _session.Log.ReleaseTo(_session.Log.Head);
            _publisher.Publish();
            ReportWaiting(0, 0);
        }
    }
}
