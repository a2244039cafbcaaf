using OrleansSessions.Clustering;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Runs an action in the turns of a grain when its silo is evicted from the cluster.</summary>
internal sealed class EvictionEnd(IGrainContext grain, Func<Task> end) : IAsyncDisposable
{
    private CancellationTokenRegistration _registration;

    /// <summary>Also if the eviction has happened already.</summary>
    public void Follow(ClusterEviction eviction) => _registration = eviction.Evicted.UnsafeRegister(
        static state => ((EvictionEnd)state!).Queue(), this);

    public ValueTask DisposeAsync() => _registration.DisposeAsync();

    private void Queue() => grain.Scheduler.QueueAction(static state => ((EvictionEnd)state!).Run(), this);

    private void Run() => end().Ignore();
}
