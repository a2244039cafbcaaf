using System.Globalization;

namespace OrleansSessions.Benchmarks;

/// <summary>The options from the command line.</summary>
internal sealed class BenchmarkOptions
{
    public const string Usage = """
        Options:
          --quick                    a smoke test of about 20 s that checks the answers
          --only A,B                 measures: rounds, latency, pieces, memory (default: these), storage, abuse, failover, cancel, churn
          --servers A,B              servers: kestrel, signalr, sessions (default: all)
          --server PATH              the dll of another build of the server
          --repeat N                 interleaved repetitions (default 5; memory, failover and churn at most 3)
          --seconds S                length of one measurement (default 3)
          --sessions N               sessions for the memory measure (default 2000), and in a round of churn (default 20000)
          --json FILE                also write every figure to this file
        """;

    private static readonly string[] KnownMeasures = [Rounds, Latency, Pieces, Memory, Storage, Abuse, Failover, Cancel, Churn];
    private static readonly string[] KnownServers = ["kestrel", "signalr", "sessions"];

    public const string Rounds = "rounds";
    public const string Latency = "latency";
    public const string Pieces = "pieces";
    public const string Memory = "memory";
    public const string Storage = "storage";
    public const string Abuse = "abuse";
    public const string Failover = "failover";
    public const string Cancel = "cancel";
    public const string Churn = "churn";

    public IReadOnlyList<string> Measures { get; private set; } = [Rounds, Latency, Pieces, Memory];

    public IReadOnlyList<string> Servers { get; private set; } = KnownServers;

    /// <summary>The path of the server's dll, or null for the server that was built together with this project.</summary>
    public string? ServerPath { get; private set; }

    public int Repeat { get; private set; } = 5;

    /// <summary>Three, because on a machine with few processors the optimizing compiler takes that long to run.</summary>
    public int WarmUpRounds { get; private set; } = 3;

    /// <summary>At most three: each figure uses a new process, so the memory figures are more stable and slower than the others.</summary>
    public int MemoryRepeat => Math.Min(Repeat, 3);

    public TimeSpan Duration { get; private set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long honest clients run alone; beside the hostile ones they run twice as long.</summary>
    public TimeSpan AbuseDuration => Duration * 5;

    /// <summary>At most three: each loss of a node needs new processes and answers of 15 s.</summary>
    public int FailoverRepeat => Math.Min(Repeat, 3);

    /// <summary>Enough for a 99th percentile that more than the two worst values decide.</summary>
    public int Cancels { get; private set; } = 400;

    public int MemorySessions { get; private set; } = 2000;

    /// <summary>How many sessions come and go in a round.</summary>
    public int ChurnSessions { get; private set; } = 20_000;

    /// <summary>A process that has served so many has loaded and optimized most of its code.</summary>
    public int ChurnWarmUpSessions => Math.Min(2000, ChurnSessions);

    /// <summary>At most three, which are enough to tell what grows in each round from what grew once.</summary>
    public int ChurnRounds => Math.Min(Repeat, 3);

    public string? JsonPath { get; private set; }

    public static bool TryParse(string[] args, out BenchmarkOptions options, out string complaint)
    {
        options = new BenchmarkOptions();
        complaint = "";
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--quick")
            {
                (options.Repeat, options.WarmUpRounds, options.Duration) = (1, 1, TimeSpan.FromSeconds(0.4));
                (options.MemorySessions, options.ChurnSessions, options.Cancels) = (1000, 1000, 40);
            }
            else if (i + 1 == args.Length || !options.TrySet(args[i], args[++i]))
            {
                complaint = $"Invalid arguments: {string.Join(' ', args[Math.Max(0, i - 1)..])}";
                return false;
            }
        }

        return true;
    }

    private bool TrySet(string name, string value)
    {
        switch (name)
        {
            case "--only":
                Measures = value.Split(',');
                return Measures.All(KnownMeasures.Contains);
            case "--servers":
                Servers = value.Split(',');
                return Servers.All(KnownServers.Contains);
            case "--server":
                ServerPath = Path.GetFullPath(value);
                return File.Exists(ServerPath);
            case "--json":
                JsonPath = value;
                return true;
            case "--repeat":
                return TryPositive(value, out var repeat) && (Repeat = (int)repeat) > 0;
            case "--sessions":
                return TryPositive(value, out var sessions) && (MemorySessions = ChurnSessions = (int)sessions) > 0;
            case "--seconds":
                var isPositive = TryPositive(value, out var seconds);
                Duration = TimeSpan.FromSeconds(seconds);
                return isPositive;
            default:
                return false;
        }
    }

    private static bool TryPositive(string value, out double number) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && number is > 0 and < 100_000;
}
