using System.Diagnostics;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>In Debug builds, checks that a member that requires the gate of its connection is called under it.</summary>
internal static class GateAssertions
{
    [Conditional("DEBUG")]
    public static void AssertHeld(this Lock gate) => Debug.Assert(gate.IsHeldByCurrentThread, "This member requires the gate of its connection.");
}
