using OrleansSessions.Grains.Gateways;
using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>Which holders of leases are known to be gone, from what this silo knows of its cluster.</summary>
internal sealed class LeaseHolders(SocketGatewayOutboxes gateways, IClusterMembershipService membership)
{
    /// <summary>The name of a silo as a holder.</summary>
    public static string NameOf(SiloAddress silo) => silo.ToParsableString();

    /// <summary>A holder calls, so it is alive. This silo can learn of a socket gateway by that.</summary>
    public void NoteAlive(LeaseKind kind, string holder)
    {
        if (kind == LeaseKind.Sockets)
        {
            gateways.Get(holder);
        }
    }

    /// <summary>A silo that is not in the membership yet, or was never in it, is not known to be gone.</summary>
    public bool IsGone(LeaseKind kind, string holder) => kind == LeaseKind.Sockets
        ? !gateways.IsLive(holder)
        : membership.CurrentSnapshot.GetSiloStatus(SiloAddress.FromParsableString(holder)) == SiloStatus.Dead;
}
