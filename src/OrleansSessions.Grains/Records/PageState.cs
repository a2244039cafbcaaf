namespace OrleansSessions.Grains.Records;

/// <summary>Ended questions of one session, stored together. It is written once.</summary>
[GenerateSerializer, Alias("OrleansSessions.PageState")]
internal sealed class PageState
{
    /// <summary>The session that wrote it, see <see cref="SessionRecord.Born"/>.</summary>
    [Id(0)]
    public long Born { get; set; }

    /// <summary>Oldest first.</summary>
    [Id(1)]
    public List<QuestionState> Questions { get; set; } = [];

    /// <summary>The activation that wrote it, see <see cref="SessionRecord.Writer"/>.</summary>
    [Id(2)]
    public long Writer { get; set; }
}
