namespace OrleansSessions.Grains.Records;

/// <summary>
/// What of a session is written at each <c>accepted</c> and <c>done</c>: all that is open, and the newest ended questions until a page is known to hold them.
/// Its size does not depend on how much the session keeps, but for 8 bytes an ended question.
/// </summary>
[GenerateSerializer, Alias("OrleansSessions.SessionRecord")]
internal sealed class SessionRecord
{
    /// <summary>0 where nothing was ever stored.</summary>
    [Id(0)]
    public long Epoch { get; set; }

    /// <summary>The number of the first event that this epoch can have.</summary>
    [Id(1)]
    public long First { get; set; }

    [Id(2)]
    public long Head { get; set; }

    /// <summary>The oldest event that could be replayed.</summary>
    [Id(3)]
    public long OldestSeq { get; set; }

    /// <summary>When the session was last used.</summary>
    [Id(4)]
    public DateTimeOffset UsedAt { get; set; }

    /// <summary>The first epoch of the session. Pages of an earlier session with the same key have another one.</summary>
    [Id(5)]
    public long Born { get; set; }

    /// <summary>The activation that wrote it: the epoch that it made for itself, which no other has.</summary>
    [Id(6)]
    public long Writer { get; set; }

    /// <summary>Counts the writes of that activation. After a write whose reply was lost, the two tell whether it has arrived.</summary>
    [Id(7)]
    public long Write { get; set; }

    /// <summary>The number of the oldest page.</summary>
    [Id(8)]
    public int FirstPage { get; set; }

    /// <summary>The pages, as <see cref="PageIndexForm"/> writes them.</summary>
    [Id(9)]
    public byte[] Pages { get; set; } = [];

    /// <summary>The number of the next chunk of this epoch. Later ones can be there: those of the answer that was running.</summary>
    [Id(10)]
    public int NextChunk { get; set; }

    /// <summary>The running question, then the queue in order. Without a store the ended ones come before them, oldest first.</summary>
    [Id(11)]
    public List<QuestionState> Questions { get; set; } = [];

    /// <summary>True where the session is being removed: what its pages hold is deleted first, then this.</summary>
    [Id(12)]
    public bool IsRemoved { get; set; }

    /// <summary>The ended questions that no page holds, oldest first, as <see cref="QuestionForms"/> writes them.</summary>
    [Id(13)]
    public List<byte[]> Ended { get; set; } = [];

    /// <summary>About how much memory it takes, in bytes.</summary>
    public long Weight => 256 + Pages.Length + Questions.Sum(question => question.Weight);
}
