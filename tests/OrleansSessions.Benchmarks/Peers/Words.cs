namespace OrleansSessions.Benchmarks.Peers;

/// <summary>Cuts a question into the pieces that an echo answers with.</summary>
internal static class Words
{
    /// <summary>Each word with the space after it, so that the pieces joined are the question again.</summary>
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
