using System.Globalization;
using System.Text;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Results;

/// <summary>Writes the table: medians, and the ratios of this server to its peers.</summary>
internal static class ResultTable
{
    private const int NameWidth = 36;
    private const int ColumnWidth = 12;
    private const int RatioWidth = 18;

    public static void Write(TextWriter output, Measurements measurements, IReadOnlyList<string> servers)
    {
        var references = servers.Contains(Contenders.Sessions) ? servers.Where(server => server != Contenders.Sessions).ToArray() : [];
        var header = new StringBuilder("medians".PadRight(NameWidth)).Append("unit".PadRight(ColumnWidth));
        foreach (var server in servers)
        {
            header.Append(server.PadLeft(ColumnWidth));
        }

        foreach (var reference in references)
        {
            header.Append($"sessions/{reference}".PadLeft(RatioWidth));
        }

        output.WriteLine(header);
        output.WriteLine(new string('-', header.Length));
        foreach (var figure in measurements.Figures)
        {
            WriteRow(output, measurements, figure, servers, references);
        }
    }

    private static void WriteRow(
        TextWriter output, Measurements measurements, Figure figure, IReadOnlyList<string> servers, IReadOnlyList<string> references)
    {
        var row = new StringBuilder(figure.Name.PadRight(NameWidth)).Append(figure.Unit.PadRight(ColumnWidth));
        foreach (var server in servers)
        {
            row.Append(Format(measurements.Median(figure, server), figure.Decimals).PadLeft(ColumnWidth));
        }

        foreach (var reference in references)
        {
            row.Append(Format(measurements.Ratio(figure, Contenders.Sessions, reference), decimals: 2).PadLeft(RatioWidth));
        }

        output.WriteLine(row);
    }

    private static string Format(double? value, int decimals) =>
        value is { } number ? number.ToString("N" + decimals, CultureInfo.InvariantCulture) : "-";
}
