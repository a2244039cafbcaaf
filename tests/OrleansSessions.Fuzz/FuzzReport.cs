using System.Globalization;

namespace OrleansSessions.Fuzz;

/// <summary>The outcome of a run with inputs of one kind.</summary>
/// <param name="Finding">The first input for which something does not hold, or null.</param>
/// <param name="Leftover">What is left afterwards and should not be, or null.</param>
public sealed record FuzzReport(string Kind, int Inputs, TimeSpan Elapsed, Finding? Finding, string? Leftover)
{
    private const int ShownLines = 10;

    /// <summary>The growth of the managed heap, in bytes. Null if no server took part.</summary>
    public long? HeapGrowth { get; init; }

    /// <summary>The lines of the log at Warning and above, each kind once with its number.</summary>
    public IReadOnlyList<string> LogLines { get; init; } = [];

    public bool IsClean => Finding is null && Leftover is null;

    public override string ToString()
    {
        var heap = HeapGrowth is { } bytes ? string.Create(CultureInfo.InvariantCulture, $", heap growth {bytes / 1024.0 / 1024:N1} MiB") : "";
        var outcome = IsClean ? "nothing found" : $"FOUND\n{Finding}\n{(Leftover is null ? "" : $"afterwards: {Leftover}")}";
        var lines = string.Concat(LogLines.Take(ShownLines).Select(line => $"\n  {line}"));
        return string.Create(CultureInfo.InvariantCulture, $"{Kind,-9} {Inputs,9:N0} inputs in {Elapsed.TotalSeconds,6:N1} s{heap}: {outcome}{lines}");
    }
}
