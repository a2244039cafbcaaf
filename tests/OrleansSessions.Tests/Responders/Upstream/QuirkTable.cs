using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>Quirks by name, for theories.</summary>
internal sealed class QuirkTable(IEnumerable<Quirk> quirks)
{
    private readonly Dictionary<string, Quirk> _quirks = quirks.ToDictionary(quirk => quirk.Name);

    public TheoryData<string> Names => new(_quirks.Keys);

    public Task RunAsync(string name) => QuirkRun.RunAsync(_quirks[name]);
}
