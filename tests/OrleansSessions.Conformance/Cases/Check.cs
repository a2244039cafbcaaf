namespace OrleansSessions.Conformance.Cases;

/// <summary>Claims about what arrived.</summary>
internal static class Check
{
    public static void That(bool holds, string expected, object? got)
    {
        if (!holds)
        {
            throw new CaseFailedException(expected, Transcript.Shorten(got?.ToString() ?? "nothing"));
        }
    }

    public static void Equal<T>(T expected, T got, string what) =>
        That(EqualityComparer<T>.Default.Equals(expected, got), $"{what}: {Show(expected)}", Show(got));

    private static string Show<T>(T value) => value switch { null => "none", string text => $"'{Transcript.Shorten(text)}'", _ => value.ToString() ?? "" };
}
