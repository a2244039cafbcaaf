namespace OrleansSessions.Grains.Questions;

/// <summary>Ended questions that are stored together, apart from the record of their session.</summary>
/// <param name="Number">Its place among the pages of its session, one more than that of the page before.</param>
/// <param name="Ids">The <see cref="QuestionIds.Hash"/> of each of its questions, oldest first.</param>
/// <param name="Bytes">What its questions count for in <c>Sessions:KeptBytes</c>.</param>
internal sealed record EndedPage(int Number, long[] Ids, int Bytes)
{
    /// <summary>True while its questions are in memory, too.</summary>
    public bool IsLoaded { get; set; }
}
