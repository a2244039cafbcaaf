using System.Globalization;
using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Clients.Cases;

/// <summary>All cases for a client program, in the order of the protocol's sections.</summary>
internal static class ClientCases
{
    public static IReadOnlyList<ConformanceCase<ClientScene>> All { get; } =
    [
        .. AskingCases.All.Concat(SnapshotCases.All).Concat(PositionCases.All).Concat(RefusalCases.All).Concat(SocketLifeCases.All)
            .OrderBy(each => int.Parse(each.Section, CultureInfo.InvariantCulture)),
    ];
}
