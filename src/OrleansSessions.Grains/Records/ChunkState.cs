namespace OrleansSessions.Grains.Records;

/// <summary>A part of an answer, stored while the answer grows. The last one is written again until it is full.</summary>
[GenerateSerializer, Alias("OrleansSessions.ChunkState")]
internal sealed class ChunkState
{
    /// <summary>The question whose answer it is.</summary>
    [Id(0)]
    public string QuestionId { get; set; } = "";

    /// <summary>Whole deltas, joined.</summary>
    [Id(1)]
    public string Text { get; set; } = "";

    /// <summary>Their lengths, as <see cref="DeltaLengths"/> writes them.</summary>
    [Id(2)]
    public byte[] Deltas { get; set; } = [];

    /// <summary>When the first text of the answer came.</summary>
    [Id(3)]
    public DateTimeOffset? FirstDeltaAt { get; set; }

    /// <summary>Which attempt at the question it belongs to.</summary>
    [Id(4)]
    public int Attempt { get; set; }

    /// <summary>
    /// Where <see cref="Text"/> begins in the answer, in UTF-16 units. The chunk before can hold more than that: a process that hung may write it once more.
    /// </summary>
    [Id(5)]
    public int Start { get; set; }
}
