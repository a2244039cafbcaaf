namespace OrleansSessions.Benchmarks.Peers;

/// <summary>Splits a question into the pieces of an echo answer.</summary>
internal static class Words
{
    /// <summary>Returns each word with the space after it, so that the joined pieces are the question.</summary>
    public static IEnumerable<string> Of(string question)
    {
        for (var start = 0; start < question.Length;)
        {
            var space = question.IndexOf(' ', start);
            var end = space < 0 ? question.Length : space + 1;
            yield return question[start..end];
            start = end;
        }
    }
}
