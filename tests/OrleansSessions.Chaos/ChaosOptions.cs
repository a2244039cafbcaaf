using System.Globalization;
using OrleansSessions.Chaos.Plans;

namespace OrleansSessions.Chaos;

/// <summary>The options from the command line.</summary>
internal sealed class ChaosOptions
{
    public const string Usage = """
        Options:
          --minutes N       how long there are faults (default 2). What has begun then ends first, which takes up to two minutes more.
          --seed S          the seed of the faults and questions (default: another one in each run; it is printed)
          --nodes N         server processes, from 2 to 8 (default 3)
          --clients N       sockets and event streams at a time, from 1 to 2000 (default 200)
          --only KIND       only these faults: kills, freezes, drains, drops, redis or rolling (default: all of them)
          --server PATH     the dll of another build of the server
          --json FILE       also write the result to this file
          --failures DIR    the folder for the transcripts of what was found (default: chaos-failures in the folder for temporary files)
        """;

    public double Minutes { get; init; } = 2;

    public int Seed { get; init; } = Random.Shared.Next();

    public int Nodes { get; init; } = 3;

    public int Clients { get; init; } = 200;

    public FaultScope Only { get; init; }

    public string? Server { get; init; }

    public string? Json { get; init; }

    public string Failures { get; init; } = Path.Combine(Path.GetTempPath(), "chaos-failures");

    /// <summary>The command that makes the same plan again.</summary>
    public string Replay
    {
        get
        {
            var only = Only == FaultScope.All ? "" : $" --only {Only.ToString().ToLowerInvariant()}";
            return string.Create(
                CultureInfo.InvariantCulture,
                $"dotnet run --project tests/OrleansSessions.Chaos -- --seed {Seed} --minutes {Minutes} --nodes {Nodes} --clients {Clients}{only}");
        }
    }

    /// <returns>Null if the arguments are not valid.</returns>
    public static ChaosOptions? Parse(string[] args)
    {
        var values = new Dictionary<string, string>();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !values.TryAdd(args[i], args[i + 1]))
            {
                return null;
            }
        }

        var defaults = new ChaosOptions();
        var only = FaultScope.All;
        if (values.Keys.Except(["--minutes", "--seed", "--nodes", "--clients", "--only", "--server", "--json", "--failures"]).Any()
            || (values.TryGetValue("--only", out var name) && (!Enum.TryParse(name, ignoreCase: true, out only) || int.TryParse(name, out _)))
            || Number(values, "--minutes", defaults.Minutes, 0.1, 24 * 60) is not { } minutes
            || Number(values, "--seed", defaults.Seed, 0, int.MaxValue) is not { } seed
            || Number(values, "--nodes", defaults.Nodes, 2, 8) is not { } nodes
            || Number(values, "--clients", defaults.Clients, 1, 2_000) is not { } clients)
        {
            return null;
        }

        return new()
        {
            Minutes = minutes,
            Seed = (int)seed,
            Nodes = (int)nodes,
            Clients = (int)clients,
            Only = only,
            Server = values.GetValueOrDefault("--server"),
            Json = values.GetValueOrDefault("--json"),
            Failures = values.GetValueOrDefault("--failures", defaults.Failures),
        };
    }

    private static double? Number(Dictionary<string, string> values, string name, double preset, double min, double max) =>
        !values.TryGetValue(name, out var text) ? preset
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number
        : null;
}
