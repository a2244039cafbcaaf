using System.Globalization;

namespace OrleansSessions.Conformance.Cases;

/// <summary>What went both ways in one case, with the milliseconds since its start.</summary>
internal sealed class Transcript
{
    private const int ShownLines = 16;
    private const int ShownCharacters = 300;

    private readonly long _start = TimeProvider.System.GetTimestamp();
    private readonly List<string> _lines = [];

    /// <param name="way">Who says it to whom, for example <c>server -> client</c>.</param>
    public void Add(string way, string text)
    {
        var at = (long)TimeProvider.System.GetElapsedTime(_start).TotalMilliseconds;
        var line = string.Create(CultureInfo.InvariantCulture, $"{at,6} ms  {way,-10} {Shorten(text)}");
        lock (_lines)
        {
            _lines.Add(line);
        }
    }

    /// <summary>The last lines, oldest first.</summary>
    public IReadOnlyList<string> Tail()
    {
        lock (_lines)
        {
            return [.. _lines.TakeLast(ShownLines)];
        }
    }

    public static string Shorten(string text) => text.Length <= ShownCharacters ? text : $"{text[..ShownCharacters]}... ({text.Length} characters)";
}
