using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>
/// The places for long requests: event streams and streamed answers. Each counts as a connection, as a socket does. It is also an ordinary request for
/// the web server, for which fewer connections are reserved, so all of them together take at most half of those.
/// </summary>
internal sealed class StreamPlaces(FollowerRegistry registry, DescriptorBudget descriptors)
{
    private readonly int _max = Math.Max(1, (descriptors.PlainConnections ?? int.MaxValue) / 2);
    private int _taken;

    /// <summary>Takes a place if there is one. Return it with <see cref="Release"/>.</summary>
    public bool TryReserve()
    {
        if (Interlocked.Increment(ref _taken) <= _max && registry.TryReserve(descriptors.Sockets))
        {
            return true;
        }

        Interlocked.Decrement(ref _taken);
        return false;
    }

    public void Release()
    {
        registry.Release();
        Interlocked.Decrement(ref _taken);
    }
}
