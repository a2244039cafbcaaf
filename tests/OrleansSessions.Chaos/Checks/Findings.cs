namespace OrleansSessions.Chaos.Checks;

/// <summary>All findings of a run.</summary>
internal sealed class Findings
{
    private readonly Lock _gate = new();
    private readonly List<Finding> _all = [];

    public IReadOnlyList<Finding> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _all];
            }
        }
    }

    public void Add(Finding finding)
    {
        lock (_gate)
        {
            _all.Add(finding);
        }
    }

    public int Count(FindingKind kind) => All.Count(finding => finding.Kind == kind);
}
