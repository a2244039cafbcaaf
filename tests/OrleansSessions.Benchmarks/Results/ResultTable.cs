using System.Globalization;
using System.Text;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Results;

/// <summary>Writes a table: medians, and ratios of one server to another.</summary>
internal static class ResultTable
{
    private const int NameWidth = 36;
    private const int ColumnWidth = 12;
    private const int RatioWidth = 18;

    /// <summary>Writes the table of this server and its peers.</summary>
    public static void Write(TextWriter output, Measurements measurements, IReadOnlyList<string> servers) => Write(
        output, measurements, servers,
        servers.Contains(Contenders.Sessions)
            ? [.. servers.Where(server => server != Contenders.Sessions).Select(server => (Contenders.Sessions, server))] : []);

    /// <summary>Writes the figures that one of these servers has.</summary>
    /// <param name="ratios">Pairs of a server and the one that it is compared with.</param>
    public static void Write(
        TextWriter output, Measurements measurements, IReadOnlyList<string> servers, IReadOnlyList<(string Server, string Reference)> ratios)
    {
        var figures = measurements.Figures.Where(figure => servers.Any(server => measurements.Median(figure, server) is not null)).ToArray();
        if (figures.Length == 0)
        {
            return;
        }

        var header = new StringBuilder("medians".PadRight(NameWidth)).Append("unit".PadRight(ColumnWidth));
        foreach (var server in servers)
        {
            header.Append(server.PadLeft(ColumnWidth));
        }

        foreach (var (server, reference) in ratios)
        {
            header.Append($"{server}/{reference}".PadLeft(RatioWidth));
        }

        output.WriteLine(header);
        output.WriteLine(new string('-', header.Length));
        foreach (var figure in figures)
        {
            var row = new StringBuilder(figure.Name.PadRight(NameWidth)).Append(figure.Unit.PadRight(ColumnWidth));
            foreach (var server in servers)
            {
                row.Append(Format(measurements.Median(figure, server), figure.Decimals).PadLeft(ColumnWidth));
            }

            foreach (var (server, reference) in ratios)
            {
                row.Append(Format(measurements.Ratio(figure, server, reference), decimals: 2).PadLeft(RatioWidth));
            }

            output.WriteLine(row);
        }

        output.WriteLine();
    }

    private static string Format(double? value, int decimals) =>
        value is { } number ? number.ToString("N" + decimals, CultureInfo.InvariantCulture) : "-";
}
