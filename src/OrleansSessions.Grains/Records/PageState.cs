namespace OrleansSessions.Grains.Records;

/// <summary>Ended questions of one session, stored together. It is written once.</summary>
[GenerateSerializer, Alias("OrleansSessions.PageState")]
internal sealed class PageState
{
    /// <summary>The session that wrote it, see <see cref="SessionRecord.Born"/>.</summary>
    [Id(0)]
    public long Born { get; set; }

    /// <summary>Oldest first, as <see cref="QuestionForms"/> writes them.</summary>
    [Id(1)]
    public List<byte[]> Ended { get; set; } = [];

    /// <summary>The activation that wrote it, see <see cref="SessionRecord.Writer"/>.</summary>
    [Id(2)]
    public long Writer { get; set; }

    /// <summary>True if a part of an answer is in chunks.</summary>
    [Id(3)]
    public bool HasChunks { get; set; }
}
