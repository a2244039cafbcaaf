namespace OrleansSessions.Chaos.Plans;

/// <summary>Random numbers for the parts of a plan. The same seed and name always give the same numbers, on every machine.</summary>
internal static class PlanRandom
{
    private const uint Offset = 2166136261;
    private const uint Prime = 16777619;

    /// <summary>The numbers of one part: no part takes numbers of another, so a longer part changes no other.</summary>
    public static Random Of(int seed, params object[] name)
    {
        var hash = Mix(Offset, (uint)seed);
        foreach (var letter in string.Join('/', name))
        {
            hash = Mix(hash, letter);
        }

        return new Random((int)hash);
    }

    public static TimeSpan Between(this Random random, double minSeconds, double maxSeconds) =>
        TimeSpan.FromMilliseconds(Math.Round(1000 * (minSeconds + (random.NextDouble() * (maxSeconds - minSeconds)))));

    /// <summary>Picks one of these by weight.</summary>
    public static T Pick<T>(this Random random, IReadOnlyList<(T Value, int Weight)> choices)
    {
        var number = random.Next(choices.Sum(choice => choice.Weight));
        foreach (var (value, weight) in choices)
        {
            number -= weight;
            if (number < 0)
            {
                return value;
            }
        }

        throw new ArgumentException("There is nothing to pick from.", nameof(choices));
    }

    private static uint Mix(uint hash, uint value) => unchecked((hash ^ value) * Prime);
}
