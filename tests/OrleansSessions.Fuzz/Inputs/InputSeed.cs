namespace OrleansSessions.Fuzz.Inputs;

/// <summary>The random numbers of one input. They depend only on the seed of the run and the number of the input, so each input can be made again.</summary>
internal static class InputSeed
{
    public static Random RandomOf(int seed, int number)
    {
        // Two rounds of a 64-bit mix, because neighbouring seeds of Random begin with similar numbers.
        var mixed = Mix(Mix((uint)seed) + (uint)number);
        return new Random((int)(mixed & int.MaxValue));
    }

    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
