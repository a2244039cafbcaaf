using System.Globalization;

namespace OrleansSessions.Fuzz;

/// <summary>An input for which something does not hold.</summary>
/// <param name="Number">The number of the input in its run.</param>
/// <param name="Fault">What does not hold.</param>
public sealed record Finding(string Kind, int Seed, int Number, byte[] Input, string Fault)
{
    /// <summary>A longer input is replayed by its number, because a command line has a limit.</summary>
    private const int MaxBytesInCommand = 1_000;

    /// <summary>The fault, the input, and the command that repeats it.</summary>
    public override string ToString()
    {
        var hex = Convert.ToHexString(Input);
        var replay = Input.Length <= MaxBytesInCommand
            ? $"--replay {Kind}:{hex}"
            : string.Create(CultureInfo.InvariantCulture, $"--kind {Kind} --seed {Seed} --only {Number}");
        return string.Create(CultureInfo.InvariantCulture, $"""
            {Kind}, seed {Seed}, input {Number}: {Fault}
              input   {hex}
              replay  dotnet run --project tests/OrleansSessions.Fuzz -- {replay}
            """);
    }
}
