using System.Globalization;

namespace OrleansSessions.Fuzz;

/// <summary>The options from the command line.</summary>
internal sealed class FuzzOptions
{
    public const string Usage = """
        Options:
          --inputs N           the number of inputs (default 20000): 90 % messages, 5 % frames, 5 % requests
          --seed S             the seed (default: another one in each run; it is printed)
          --kind A,B           kinds: messages, frames, requests (default: all). One kind gets all inputs.
          --only N             only this input of the run, with --kind and --seed
          --replay KIND:HEX    only this input
        """;

    public int Inputs { get; private set; } = 20_000;

    public int Seed { get; private set; } = Random.Shared.Next();

    public IReadOnlyList<string> Kinds { get; private set; } = FuzzKinds.All;

    /// <summary>The number of the only input, or null.</summary>
    public int? Only { get; private set; }

    /// <summary>The kind and the bytes of the only input, or null.</summary>
    public (string Kind, byte[] Input)? Replay { get; private set; }

    /// <summary>The share of the inputs that this kind gets: a frame or a request takes some hundred times as long as a message.</summary>
    public int InputsOf(string kind) => Kinds.Count == 1 ? Inputs
        : kind == FuzzKinds.Messages ? (int)(Inputs * 0.9)
        : (int)(Inputs * 0.05);

    /// <returns>Null if the arguments are not valid.</returns>
    public static FuzzOptions? Parse(string[] args)
    {
        var options = new FuzzOptions();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !options.TrySet(args[i], args[i + 1]))
            {
                return null;
            }
        }

        return options.Only is null || options.Kinds.Count == 1 ? options : null;
    }

    private bool TrySet(string name, string value)
    {
        var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        switch (name)
        {
            case "--inputs" when isNumber: Inputs = number; return true;
            case "--seed" when isNumber: Seed = number; return true;
            case "--only" when isNumber: Only = number; return true;
            case "--kind":
                Kinds = value.Split(',');
                return Kinds.All(FuzzKinds.All.Contains);
            case "--replay" when value.Split(':') is [var kind, var hex] && hex.Length % 2 == 0 && hex.All(char.IsAsciiHexDigit):
                Replay = (kind, Convert.FromHexString(hex));
                return FuzzKinds.All.Contains(kind);
            default: return false;
        }
    }
}
