using OrleansSessions.Clustering;
using OrleansSessions.Gateways;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Errors;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Gives access to the session grains: the caller's id, whether calls are allowed, and how a failed call is reported.</summary>
internal sealed class SessionGrains(IGrainFactory grains, SocketGatewayInstance instance, ClusterEviction eviction, Drain drain, GrainFaults faults)
{
    /// <summary>This socket gateway's instance id, as grains know it.</summary>
    public string Gateway => instance.Id;

    /// <summary>
    /// True once the silo of this process is evicted. Another silo can then hold the same sessions, so no questions are asked here any more.
    /// </summary>
    public bool IsEvicted => eviction.IsEvicted;

    /// <summary>True once this process leaves with all that it holds, which the grains learn at once.</summary>
    public bool IsLeaving => eviction.IsEvicted || drain.Ending.IsCancellationRequested;

    /// <summary>The silo in this process, or null.</summary>
    public SiloAddress? Host => instance.Host;

    public ISocketGatewayRegistryGrain Registry => grains.GetGrain<ISocketGatewayRegistryGrain>(0);

    public ISessionGrain Get(string sessionKey) => grains.GetGrain<ISessionGrain>(sessionKey);

    public IScopeIndexGrain IndexOf(string scope) => grains.GetGrain<IScopeIndexGrain>(scope);

    /// <inheritdoc cref="GrainFaults.IsOutage"/>
    public bool IsOutage(Exception fault) => faults.IsOutage(fault);

    /// <inheritdoc cref="GrainFaults.Report"/>
    public ErrorMessage Report(Exception fault, string notDone, string sessionId, string? questionId) =>
        faults.Report(fault, notDone, sessionId, questionId);
}
