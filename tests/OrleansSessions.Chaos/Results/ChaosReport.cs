using System.Globalization;
using System.Text;
using System.Text.Json;
using OrleansSessions.Chaos.Checks;

namespace OrleansSessions.Chaos.Results;

/// <summary>What a run did, found and measured.</summary>
/// <param name="Replay">The command that makes the same plan again.</param>
/// <param name="Failures">The folder with the transcripts of what was found.</param>
internal sealed record ChaosReport(
    string Replay, TimeSpan Elapsed, IReadOnlyDictionary<string, int> Counts, IReadOnlyList<Finding> Findings, IReadOnlyList<Waits> Waits, string Failures)
{
    private const int ShownFindings = 20;
    private const int ShownLength = 600;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public bool IsClean => Findings.Count == 0;

    public int Count(string name) => Counts.GetValueOrDefault(name);

    /// <summary>The sum of all counts whose names begin so.</summary>
    public int Sum(string prefix) => Counts.Where(count => count.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(count => count.Value);

    public Task WriteJsonAsync(string path) => File.WriteAllTextAsync(path, JsonSerializer.Serialize(
        new
        {
            replay = Replay,
            seconds = Math.Round(Elapsed.TotalSeconds, 1),
            processors = Environment.ProcessorCount,
            counts = Counts,
            findings = Enum.GetValues<FindingKind>().ToDictionary(kind => kind.ToString().ToLowerInvariant(), Number),
            details = Findings.Select(finding => finding.ToString()),
            waits = Waits.Select(wait => new { name = wait.Name, count = wait.Count, p50_s = Rounded(wait.P50), p99_s = Rounded(wait.P99), max_s = Rounded(wait.Max) }),
        },
        Indented));

    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Replay}").AppendLine(CultureInfo.InvariantCulture, $"{Elapsed.TotalSeconds:F0} s").AppendLine();
        foreach (var (name, count) in Counts)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{name,-44} {count,10:N0}");
        }

        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{"waits, in seconds",-44} {"count",10} {"p50",8} {"p99",8} {"max",8}");
        foreach (var wait in Waits)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{wait.Name,-44} {wait.Count,10:N0} {wait.P50,8:F2} {wait.P99,8:F2} {wait.Max,8:F2}");
        }

        text.AppendLine();
        foreach (var kind in Enum.GetValues<FindingKind>())
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{kind.ToString().ToLowerInvariant(),-44} {Number(kind),10:N0}");
        }

        foreach (var finding in Findings.Take(ShownFindings))
        {
            var shown = finding.ToString();
            text.AppendLine().AppendLine(shown.Length <= ShownLength ? shown : shown[..ShownLength] + "...");
        }

        if (!IsClean)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"transcripts   {Failures}").AppendLine(CultureInfo.InvariantCulture, $"replay        {Replay}");
        }

        return text.ToString();
    }

    private int Number(FindingKind kind) => Findings.Count(finding => finding.Kind == kind);

    private static double Rounded(double seconds) => Math.Round(seconds, 3);
}
