using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>What an event stream holds while it lasts: a connection of the process, and one of its scope.</summary>
internal sealed class EventStreamPlace(StreamPlaces places, CallerGuards guards, SessionAccess access) : IDisposable
{
    private int _isReleased;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) == 0)
        {
            places.Release();
            guards.ReleasePlace(access);
        }
    }
}
