using System.Globalization;
using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Servers.Cases;

/// <summary>All cases for a server, in the order of the protocol's sections.</summary>
internal static class ServerCases
{
    public static IReadOnlyList<ConformanceCase<ServerScene>> All { get; } =
    [
        .. AttachCases.All.Concat(ResumingCases.All).Concat(AnswerCases.All).Concat(BadInputCases.All).Concat(HttpCases.All)
            .OrderBy(each => int.Parse(each.Section, CultureInfo.InvariantCulture)),
    ];
}
